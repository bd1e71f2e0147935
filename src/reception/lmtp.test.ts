import { expect, test } from 'vitest';
import { TestReception } from '../testing/reception.ts';

const people = { accounts: ['bob@example.com'], aliases: { 'info@example.com': ['bob@example.com'] } };

async function deliver(header: string, to = 'bob@example.com') {
  const reception = new TestReception({ via: 'lmtp', ...people });
  const content = `${header}\r\n\r\nHello.`.split('\r\n');
  const replies = await reception.say(
    'LHLO front.example.com',
    'MAIL FROM:<a@client.example>',
    `RCPT TO:<${to}>`,
    'DATA',
    ...content,
    '.',
  );
  return { reception, answer: replies.at(-1) };
}

test('keeps what the server in front has found, but for what pretends to be ours', async () => {
  const theirs = 'Authentication-Results: front.example.com; spf=pass';
  const { reception } = await deliver(
    `Return-Path: <x@y.example>\r\nX-Posthorn-Verdict : Inbox\r\nAuthentication-Results: mx.example.com; spf=pass\r\n${theirs}\r\nFrom: a@client.example`,
  );
  const { text, entry } = await reception.theMessage();
  expect(text).toContain(`\r\n${theirs}\r\nFrom: a@client.example\r\n\r\nHello.\r\n`);
  expect(text).not.toMatch(/^Return-Path|Verdict|mx\.example\.com; spf/m);
  expect(text).toMatch(
    /^Received: from front\.example\.com \(\[192\.0\.2\.1\]\)\s+by mx\.example\.com\s+with LMTP\s/,
  );
  expect(entry.message).toMatchObject({ reversePath: 'a@client.example', failuresTo: 'postmaster' });
  expect(entry.jobs).toMatchObject([{ recipient: 'bob@example.com', kind: 'local', folder: 'Inbox' }]);
  expect(entry.events[0]).toMatchObject({ event: 'accepted', data: { via: 'lmtp' } });
});

test('is not signed as ours, whatever its From says, and nothing is added to it', async () => {
  const { reception } = await deliver('From: bob@example.com', 'info@example.com');
  const { text, entry } = await reception.theMessage();
  expect(text).not.toMatch(/^(DKIM-Signature|Date|Message-ID):/m);
  expect(entry.jobs).toMatchObject([{ originalRecipient: 'info@example.com' }]);
});

test('a loop ends here', async () => {
  const { reception, answer } = await deliver('Delivered-To: bob@example.com\r\nFrom: a@client.example');
  expect(answer).toMatch(/^554 5\.4\.6 /);
  expect(reception.accepted).toEqual([]);
});

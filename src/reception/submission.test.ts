import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createSigner } from '../authentication/dkim-sign.ts';
import type { ReceptionSetup } from '../testing/behind-doors.ts';
import { fakeClock } from '../testing/fake-clock.ts';
import { TestReception } from '../testing/reception.ts';

const { privateKey } = generateKeyPairSync('ed25519');
const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const signer = createSigner({ domain: 'example.com', selector: 's1', privateKeyPem, clock: fakeClock() });

const bob = 'bob@example.com';
const ann = 'ann@example.net';
const submission: ReceptionSetup = {
  via: 'submission',
  account: bob,
  accounts: [bob, 'eve@example.com'],
  aliases: { 'team@example.com': [bob] },
  signers: new Map([['example.com', signer]]),
};

const complete =
  'From: Bob <bob@example.com>\r\nTo: ann@example.net\r\nDate: Mon, 5 Jan 2026 11:00:00 +0100\r\n' +
  'Message-ID: <own@example.com>\r\nSubject:  two  spaces \r\n\r\nHello.\r\n.\r\n';

async function submitted(content: string, to: string | string[] = ann) {
  const reception = new TestReception(submission);
  expect(await reception.send({ from: bob, to, content })).toMatch(/^250 2\.0\.0 /);
  return reception.theMessage();
}

async function refused(content: string, from = bob): Promise<string> {
  const reception = new TestReception(submission);
  const reply = await reception.send({ from, to: ann, content });
  expect(reception.accepted).toEqual([]);
  return reply;
}

describe('mail from our own users', () => {
  test('not-9: M3: a complete message is prepended to, and not otherwise touched', async () => {
    const { text } = await submitted(complete);
    expect(text.endsWith(complete)).toBe(true);
    expect(text.slice(0, -complete.length)).toMatch(/^Received: [\s\S]*\r\nDKIM-Signature: [\s\S]*\r\n$/);
  });

  test('M3: a missing Date, Message-ID and From are added', async () => {
    const { text } = await submitted('Subject: x\r\n\r\nHello.\r\n');
    expect(text).toMatch(/^Date: Mon, 0?5 Jan 2026 12:00:00 \+0000\r$/m);
    expect(text).toMatch(/^Message-ID: <[0-9A-Z]{14}@example\.com>\r$/m);
    expect(text).toMatch(/^From: <?bob@example\.com>?\r$/m);
  });

  test('M3: Bcc is taken out, and its people get the message', async () => {
    const content = complete.replace('Subject', 'Bcc: secret@example.org,\r\n\tother@example.org\r\nSubject');
    const { text, entry } = await submitted(content, [ann, 'hidden@example.net']);
    expect(text).not.toMatch(/^bcc:|secret@|other@/im);
    expect(text.endsWith(complete)).toBe(true);
    expect(entry.jobs.map(({ recipient }) => recipient)).toEqual([ann, 'hidden@example.net']);
  });

  test('what only we may write is taken out: a stolen password is no way to our verdicts', async () => {
    const forged =
      'Return-Path: <a@b.example>\r\nX-Posthorn-Verdict: Inbox; forged\r\n' +
      'Authentication-Results: mx.example.com; spf=pass\r\nAuthentication-Results: other.example; spf=none\r\n';
    const { text } = await submitted(`${forged}${complete}`);
    expect(text).not.toMatch(/^(?:Return-Path|X-Posthorn-Verdict|Authentication-Results: mx)/m);
    expect(text).toContain('Authentication-Results: other.example; spf=none');
    expect(text.endsWith(complete)).toBe(true);
  });

  describe('with a Traceparent field', () => {
    const place = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const field = `Traceparent: ${place}\r\n`;
    const traced = async (fields: string) => {
      const reception = new TestReception({ ...submission, isTraced: true });
      const content = `${fields}${complete}`;
      expect(await reception.send({ from: bob, to: ann, content })).toMatch(/^250 2\.0\.0 /);
      const { text, entry } = await reception.theMessage();
      expect(text).not.toMatch(/^trace/im);
      expect(text.endsWith(complete)).toBe(true);
      return entry.message.traceparent;
    };

    test('is part of that trace, where spans are written, and goes out without it', async () => {
      expect(await traced(`${field}Tracestate: vendor=1\r\n`)).toBe(place);
    });

    test.each([
      ['says nonsense', 'Traceparent: 00-nonsense\r\n'],
      ['is there twice', field + field],
      ['is not there, but its companion', 'Tracestate: vendor=1\r\n'],
    ])('that %s, it is part of none', async (_, fields) => {
      expect(await traced(fields)).toBeUndefined();
    });

    test('is left as it is where nobody writes spans', async () => {
      const { text, entry } = await submitted(field + complete);
      expect(text.endsWith(field + complete)).toBe(true);
      expect(entry.message).not.toHaveProperty('traceparent');
    });
  });

  test("M9: is signed with the key of From's domain, and the dossier says so", async () => {
    const { text, entry } = await submitted(complete);
    expect(text.replace(/\r\n\s+/g, ' ')).toMatch(
      /^DKIM-Signature: .*c=relaxed\/relaxed;.*d=example\.com;.*s=s1;/m,
    );
    expect(entry.events.map(({ event }) => event)).toEqual(['accepted', 'signed']);
  });

  test('a client that has too many logins under way is told to come again', async () => {
    const reception = new TestReception({ ...submission, login: async () => ({ kind: 'busy' }) });
    const credentials = Buffer.from(`\0${bob}\0secret`).toString('base64');
    const replies = await reception.say('EHLO c', `AUTH PLAIN ${credentials}`);
    expect(replies.at(-1)).toMatch(/^454 4\.7\.0 /);
  });

  test("duty-4: Received does not tell the submitter's address", async () => {
    const { text } = await submitted(complete);
    expect(text).toMatch(/^Received: by mx\.example\.com/m);
    expect(text).not.toContain('192.0.2.1');
    expect(text).not.toContain('client.example');
  });

  test('not-10: From and Sender may only be addresses of the user', async () => {
    expect(await refused(complete.replace('<bob@', '<eve@'))).toMatch(/^550 5\.7\.1 /);
    expect(await refused(`Sender: eve@example.com\r\n${complete}`)).toMatch(/^550 5\.7\.1 /);
    expect(
      await refused(complete.replace('<bob@example.com>', '<bob@example.com>, ann@example.net')),
    ).toMatch(/^550 5\.7\.1 /);
    await submitted(complete.replace('<bob@', '<team@'));
  });

  test('duty-5: From is there once, and encoded words are never decoded inside addresses', async () => {
    expect(await refused(`From: bob@example.com\r\n${complete}`)).toMatch(/^554 5\.6\.0 /);
    const encoded = complete.replace(
      'Bob <bob@example.com>',
      '=?utf-8?q?bob=40example.com?= <eve@example.com>',
    );
    expect(await refused(encoded)).toMatch(/^550 5\.7\.1 /);
  });

  test.each([
    ['a NUL in the body', `${complete}\0\r\n`],
    ['a NUL in the header', `X-Nul: \0\r\n${complete}`],
    ['an 8-bit header', `X-Eight: \xfc\r\n${complete}`],
    ['a line over 998 octets', `${complete}${'x'.repeat(999)}\r\n`],
  ])('duty-6: %s is refused with 5.6.0', async (_, content) => {
    expect(await refused(content)).toMatch(/^554 5\.6\.0 /);
  });

  test('duty-6: a line of 998 octets is taken', async () => {
    await submitted(`${complete}${'x'.repeat(998)}\r\n`);
  });

  test('duty-3: an unknown local user is refused, also for our own users', async () => {
    const reception = new TestReception(submission);
    const replies = await reception.say('EHLO c', `MAIL FROM:<${bob}>`, 'RCPT TO:<nobody@example.com>');
    expect(replies.at(-1)).toMatch(/^550 5\.1\.1 /);
  });
});

describe('a message that is handed in twice', () => {
  const lossy: ReceptionSetup = { ...submission, lostAnswers: true };
  const letter = { from: bob, to: ann, content: complete };
  const dialogue = ['EHLO c', `MAIL FROM:<${bob}>`, `RCPT TO:<${ann}>`, 'DATA', complete.slice(0, -5), '.'];
  const idIn = (answer: string | undefined) => /Queued as (\S+)/.exec(answer ?? '')?.[1];

  test('not-8: the connection broke at our 250: the repeat gets that answer again, and is not sent twice', async () => {
    const reception = new TestReception(lossy);
    const [first, second, third] = [
      await reception.send(letter),
      await reception.send(letter),
      await reception.send(letter),
    ];
    expect(second).toBe(first);
    expect(third).toBe(first);
    expect(reception.accepted).toHaveLength(1);
    expect(reception.events).toMatchObject([
      { queueId: idIn(first), event: 'repeated' },
      { queueId: idIn(first), event: 'repeated' },
    ]);
  });

  test.each([
    ['said QUIT', 'QUIT'],
    ['said something else', 'NOOP'],
  ])('who has heard our 250, and %s, means what it sends again', async (_, word) => {
    const reception = new TestReception(lossy);
    await reception.say(...dialogue, word);
    await reception.say(...dialogue, word);
    expect(reception.accepted).toHaveLength(2);
  });

  test('who has heard the repeated 250 means what it sends after it', async () => {
    const reception = new TestReception(lossy);
    await reception.say(...dialogue);
    for (let count = 0; count < 2; count++) await reception.say(...dialogue, 'QUIT');
    expect(reception.accepted).toHaveLength(2);
    expect(reception.events).toHaveLength(1);
  });

  test('a repeat that could not be answered is one still', async () => {
    const reception = new TestReception(lossy);
    await reception.say(...dialogue);
    reception.failure = new Error('broken');
    expect((await reception.say(...dialogue, 'QUIT')).join()).toContain('451');
    reception.failure = undefined;
    await reception.say(...dialogue, 'QUIT');
    expect(reception.accepted).toHaveLength(1);
    expect(reception.events).toHaveLength(1);
  });

  test('on one connection two of a kind are two', async () => {
    const reception = new TestReception(lossy);
    await reception.say(...dialogue, ...dialogue.slice(1), 'QUIT');
    expect(reception.accepted).toHaveLength(2);
  });

  test.each([
    ['to others', { to: 'eve@example.net' }],
    ['with other octets', { content: complete.replace('Hello', 'Hallo') }],
    ['with another header', { content: complete.replace('two', 'new') }],
    ['from the null sender', { from: '' }],
  ])('another message is another: %s', async (_, change) => {
    const reception = new TestReception(lossy);
    await reception.send(letter);
    expect(await reception.send({ ...letter, ...change })).toMatch(/^250/);
    expect(reception.accepted).toHaveLength(2);
  });

  test('after ten minutes it is sent again', async () => {
    const reception = new TestReception(lossy);
    await reception.send(letter);
    reception.clock.advance(600_000);
    await reception.send(letter);
    expect(reception.accepted).toHaveLength(2);
  });

  test('what was refused is no answer that could be lost', async () => {
    const reception = new TestReception(lossy);
    reception.failure = new Error('broken');
    expect(await reception.send(letter)).toMatch(/^451/);
    reception.failure = undefined;
    expect(await reception.send(letter)).toMatch(/^250/);
    expect(reception.accepted).toHaveLength(1);
  });

  test('mail from outside is never taken for a repeat', async () => {
    const reception = new TestReception({ via: 'smtp', accounts: [bob], lostAnswers: true });
    for (let count = 0; count < 2; count++)
      await reception.send({ from: 'x@example.org', to: bob, content: 'Subject: x\r\n\r\nHi.\r\n' });
    expect(reception.accepted).toHaveLength(2);
  });
});

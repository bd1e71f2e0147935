import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { dkimRecord } from '../authentication/dkim-key.ts';
import { createSigner } from '../authentication/dkim-sign.ts';
import { signMessage } from '../authentication/sign-message.ts';
import type { ZoneData } from '../dns/zone-data.ts';
import type { ReceptionSetup } from '../testing/behind-doors.ts';
import { policyOf } from '../testing/policies.ts';
import { TestReception } from '../testing/reception.ts';
import { systemClock } from '../util/clock.ts';
import { longestDeferralMs } from './deferrals.ts';

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

describe('a loop', () => {
  test('ends here, and leaves a dossier', async () => {
    const { reception, answer } = await deliver('Delivered-To: bob@example.com\r\nFrom: a@client.example');
    expect(answer).toMatch(/^554 5\.4\.6 /);
    expect(reception.accepted).toEqual([]);
    expect(reception.events).toMatchObject([
      {
        event: 'refused',
        data: {
          from: 'a@client.example',
          to: ['bob@example.com'],
          client: { address: '192.0.2.1', helo: 'front.example.com' },
          reply: expect.stringMatching(/^554 5\.4\.6 Mail loop/),
          rule: 'mail loop',
        },
      },
    ]);
  });
});

describe('a list that only its members may write to', () => {
  const privateKeyPem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
  const key = String(privateKeyPem);
  const records: ZoneData = {
    // Whatever the server in front, the record of the domain would permit it.
    'client.example': { TXT: ['v=spf1 +all'] },
    's._domainkey.client.example': { TXT: [dkimRecord(key).value] },
    '_dmarc.client.example': { TXT: ['v=DMARC1; p=none'] },
  };
  const list = { owner: 'bob@example.com', post: 'members' } as const;
  const setup: ReceptionSetup = {
    via: 'lmtp',
    accounts: ['bob@example.com', 'ann@example.com'],
    aliases: { 'club@example.com': ['bob@example.com', 'a@client.example'] },
    lists: { 'club@example.com': list },
    records,
  };
  const post = (reception: TestReception, content: string, to = 'club@example.com') =>
    reception.send({ from: 'a@client.example', to, content, helo: 'front.example.com' });
  const plain = 'From: a@client.example\r\nSubject: x\r\n\r\nHello.\r\n';

  async function signedBy(domain: string): Promise<string> {
    const signer = createSigner({ domain, selector: 's', privateKeyPem: key, clock: systemClock });
    return (await signMessage(signer, Buffer.from(plain))) + plain;
  }

  test('does not believe a reverse-path, nor what the server in front is permitted', async () => {
    const reception = new TestReception(setup);
    expect(await post(reception, plain)).toMatch(/^550 5\.7\.2 Cannot tell that this comes from/);
    expect(reception.accepted).toEqual([]);
    expect(reception.events).toMatchObject([
      { event: 'refused', data: { rule: expect.stringMatching(/^not everybody may write to this list/) } },
    ]);
  });

  test('nor what somebody in front says that it has found', async () => {
    const results = 'Authentication-Results: front.example.com; dkim=pass header.d=client.example\r\n';
    expect(await post(new TestReception(setup), results + plain)).toMatch(/^550 5\.7\.2 /);
  });

  test('believes a signature of the sender’s domain, and of no other', async () => {
    const reception = new TestReception(setup);
    expect(await post(reception, await signedBy('client.example'))).toMatch(/^250 /);
    expect(reception.accepted).toHaveLength(1);
    const other = { ...records, 's._domainkey.other.example': { TXT: [dkimRecord(key).value] } };
    const stranger = new TestReception({ ...setup, records: other });
    expect(await post(stranger, await signedBy('other.example'))).toMatch(/^550 5\.7\.2 /);
  });

  test('asks back while DNS does not say', async () => {
    const script = { failures: { 's._domainkey.client.example': 'timeout' } } as const;
    const reception = new TestReception({ ...setup, script });
    const message = await signedBy('client.example');
    expect(await post(reception, message)).toMatch(/^451 4\.4\.3 /);
    reception.clock.advance(longestDeferralMs);
    expect(await post(reception, message)).toMatch(/^550 5\.7\.2 /);
  });

  test('needs no look-up where the list is open, or there is none', async () => {
    const script = { failures: { 's._domainkey.client.example': 'timeout' } } as const;
    const open = { 'club@example.com': { ...list, post: 'anybody' } } as const;
    const message = await signedBy('client.example');
    expect(await post(new TestReception({ ...setup, script, lists: open }), message)).toMatch(/^250 /);
    expect(await post(new TestReception({ ...setup, script }), message, 'ann@example.com')).toMatch(/^250 /);
  });
});

describe('who a mailbox has blocked', () => {
  const setup: ReceptionSetup = {
    via: 'lmtp',
    accounts: ['bob@example.com', 'ann@example.com'],
    settings: { 'bob@example.com': { block: ['*@client.example'] } },
  };
  const content = 'From: x@y.example\r\n\r\nHello.\r\n';
  const to = ['ann@example.com', 'bob@example.com'];

  test('goes to its Junk folder, with the reason, and to the Inbox of others', async () => {
    const reception = new TestReception(setup);
    expect(await reception.send({ from: 'a@client.example', to, content })).toMatch(/^250 /);
    const [entry] = reception.accepted;
    expect(entry?.jobs).toMatchObject([
      { recipient: 'ann@example.com', folder: 'Inbox' },
      {
        recipient: 'bob@example.com',
        folder: 'Junk',
        verdict: expect.stringContaining('a@client.example in the envelope is on the block list'),
      },
    ]);
    expect(entry?.jobs[0]).not.toHaveProperty('verdict');
    expect(entry?.events.filter(({ event }) => event === 'judged')).toMatchObject([
      { recipient: 'bob@example.com', data: { folder: 'Junk' } },
    ]);
  });

  test('in From as well', async () => {
    const reception = new TestReception(setup);
    await reception.send({ from: 'a@other.example', to, content: content.replace('y.', 'client.') });
    expect(reception.accepted[0]?.jobs.map(({ folder }) => folder)).toEqual(['Inbox', 'Junk']);
  });

  test('is let in by a policy that lets in who is blocked, and nobody else is kept out', async () => {
    const counting = new TestReception({ ...setup, policies: [policyOf([['always', 'reject']])] });
    await counting.send({ from: 'a@client.example', to, content });
    const other = new TestReception(setup);
    await other.send({ from: 'a@other.example', to, content });
    for (const reception of [counting, other]) {
      expect(reception.accepted[0]?.jobs.map(({ folder }) => folder)).toEqual(['Inbox', 'Inbox']);
      expect(reception.accepted[0]?.events.map(({ event }) => event)).toEqual(['accepted']);
    }
  });
});

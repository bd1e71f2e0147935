import { generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { bodyHasher } from '../authentication/body-hash.ts';
import { dkimRecord, generateDkimKey } from '../authentication/dkim-key.ts';
import { createSigner } from '../authentication/dkim-sign.ts';
import type { ZoneData } from '../dns/zone-data.ts';
import type { ReceptionSetup } from '../testing/behind-doors.ts';
import { fakeClock } from '../testing/fake-clock.ts';
import { TestReception } from '../testing/reception.ts';

/** A client at 192.0.2.1 that may send for good.example, and a domain that lets nobody send for it from there. */
const records: ZoneData = {
  'client.example': { A: ['192.0.2.1'] },
  '1.2.0.192.in-addr.arpa': { PTR: ['client.example'] },
  'good.example': { MX: [[10, 'client.example']], TXT: ['v=spf1 ip4:192.0.2.1 -all'] },
  '_dmarc.good.example': { TXT: ['v=DMARC1; p=reject'] },
  'strict.example': { MX: [[10, 'client.example']], TXT: ['v=spf1 -all'] },
  '_dmarc.strict.example': { TXT: ['v=DMARC1; p=reject'] },
  'plain.example': { MX: [[10, 'client.example']], TXT: ['v=spf1 -all'] },
};
const inbound: ReceptionSetup = { via: 'smtp', accounts: ['bob@example.com', 'eve@example.com'], records };

const bob = 'bob@example.com';
const from = (author: string, fields = ''): string =>
  `${fields}From: ${author}\r\nSubject: x\r\n\r\nHello.\r\n`;

let foreignKey: string;
beforeAll(async () => {
  foreignKey = await generateDkimKey('rsa');
});

/** With a valid signature of list.example in front. */
async function signedByList(content: string): Promise<string> {
  const clock = fakeClock();
  const signer = createSigner({ domain: 'list.example', selector: 's', privateKeyPem: foreignKey, clock });
  const body = content.indexOf('\r\n\r\n') + 4;
  const hasher = bodyHasher();
  hasher.update(Buffer.from(content.slice(body)));
  const field = await signer.sign({ header: Buffer.from(content.slice(0, body)), bodyHash: hasher.digest() });
  return field + content;
}

const withList = (): ReceptionSetup => ({
  ...inbound,
  records: { ...records, 's._domainkey.list.example': { TXT: [dkimRecord(foreignKey).value] } },
});

describe('mail from outside', () => {
  test('P11: what passes gets its fields and goes to the inbox', async () => {
    const reception = new TestReception(inbound);
    const reply = await reception.send({ from: 'a@good.example', to: bob, content: from('a@good.example') });
    expect(reply).toMatch(/^250 2\.0\.0 Queued as [0-9A-Z]{14}$/);
    const { text, entry } = await reception.theMessage();
    expect(text.replaceAll('\r\n\t', ' ')).toMatch(
      /^Authentication-Results: mx\.example\.com;.* spf=pass .*dmarc=pass[^\r]*\r\nReceived: from client\.example \(client\.example \[192\.0\.2\.1\]\) by mx\.example\.com /,
    );
    expect(text.endsWith(from('a@good.example'))).toBe(true);
    expect(entry.jobs).toMatchObject([{ recipient: bob, kind: 'local', folder: 'Inbox' }]);
    expect(entry.events.map(({ event }) => event)).toEqual(['accepted', 'checked', 'judged']);
  });

  test.each([
    ['by SPF', 'a@good.example', 'a@good.example', 'sender'],
    ['by nothing', 'a@plain.example', 'a@plain.example', 'postmaster'],
    ['by a signature', 'a@list.example', 'a@list.example', 'sender'],
    ["by somebody else's signature", 'a@plain.example', 'a@list.example', 'postmaster'],
  ])('duty-3: keeps whom to tell of a failure: a sender proven %s', async (_, sender, author, failuresTo) => {
    const list = withList();
    const dmarc = { '_dmarc.list.example': { TXT: ['v=DMARC1; p=none'] } };
    const reception = new TestReception({ ...list, records: { ...list.records, ...dmarc } });
    const content = author.endsWith('@list.example') ? await signedByList(from(author)) : from(author);
    await reception.send({ from: sender, to: bob, content });
    expect(reception.accepted).toMatchObject([{ message: { failuresTo } }]);
  });

  test('P11: under p=reject, what nothing authenticates is refused with 550 5.7.1 and the reason', async () => {
    const reception = new TestReception(inbound);
    const reply = await reception.send({
      from: 'a@strict.example',
      to: bob,
      content: from('a@strict.example'),
    });
    expect(reply).toMatch(/^550 5\.7\.1 /);
    expect(reception.accepted).toEqual([]);
    expect(
      reception.events.map(({ event, data }) => [event, data.reply ?? data.decision ?? data.disposition]),
    ).toEqual([
      ['refused', expect.stringContaining('strict.example')],
      ['checked', 'reject'],
      ['judged', 'reject'],
    ]);
  });

  test('P11: under p=reject, what carries a valid signature of another domain goes to the Junk folder', async () => {
    const reception = new TestReception(withList());
    const content = await signedByList(from('a@strict.example'));
    expect(await reception.send({ from: 'bounce@list.example', to: bob, content })).toMatch(/^250/);
    expect(reception.accepted[0]?.jobs[0]?.folder).toBe('Junk');
  });

  test('P11: an SPF failure alone refuses nothing', async () => {
    const reception = new TestReception(inbound);
    expect(
      await reception.send({ from: 'a@plain.example', to: bob, content: from('a@plain.example') }),
    ).toMatch(/^250/);
    expect(reception.accepted[0]?.jobs[0]?.folder).toBe('Inbox');
  });

  test('P11: while DNS does not say what matters, the client is asked to come again', async () => {
    const reception = new TestReception({
      ...inbound,
      script: { failures: { '_dmarc.strict.example TXT': 'timeout' } },
    });
    const letter = { from: 'a@strict.example', to: bob, content: from('a@strict.example') };
    expect(await reception.send(letter)).toMatch(/^451 4\.4\.3 /);
    expect(reception.accepted).toEqual([]);
  });

  test('P2: not-9: takes out what is said in our name, and nothing else', async () => {
    const reception = new TestReception(inbound);
    const kept = 'Authentication-Results: mx.other.example; spf=pass\r\nX-Odd:  kept \r\n\tas it is\r\n';
    const forged =
      'Authentication-Results: mx.example.com;\r\n\tdmarc=pass\r\nReturn-Path: <x@evil.example>\r\n' +
      'X-Posthorn-Verdict: Inbox; policy=default; evil.example\r\n';
    const content = from('a@good.example', kept + forged);
    await reception.send({ from: 'a@good.example', to: bob, content });
    const { text } = await reception.theMessage();
    expect(text.endsWith(kept + from('a@good.example'))).toBe(true);
    expect(text).not.toContain('evil.example');
  });

  test('P11: not-9: a signature over a field that we take out is checked all the same', async () => {
    const reception = new TestReception(withList());
    const content = await signedByList(from('a@list.example', 'Return-Path: <a@list.example>\r\n'));
    await reception.send({ from: 'a@list.example', to: bob, content });
    const { text } = await reception.theMessage();
    expect(text).toContain('dkim=pass');
  });

  test('duty-6: preserves what is odd: NUL, 8-bit headers, long lines', async () => {
    const reception = new TestReception(inbound);
    const odd = `Subject: gr\xfc\xdfe\r\nX-Nul: \0\r\n${from('a@good.example')}${'x'.repeat(5000)}\r\n`;
    expect(await reception.send({ from: 'a@good.example', to: bob, content: odd })).toMatch(/^250/);
    expect((await reception.theMessage()).text.endsWith(odd)).toBe(true);
  });

  test('duty-2: a message that has come round is refused, and the dossier says so', async () => {
    const reception = new TestReception(inbound);
    const content = from('a@good.example', 'Received: from x by y; now\r\n'.repeat(51));
    expect(await reception.send({ from: 'a@good.example', to: bob, content })).toMatch(/^554 5\.4\.6 /);
    const again = from('a@good.example', `Delivered-To: ${bob}\r\n`);
    expect(await reception.send({ from: 'a@good.example', to: bob, content: again })).toMatch(
      /^554 5\.4\.6 /,
    );
    expect(reception.events.map(({ data }) => data.rule)).toEqual(['mail loop', 'mail loop']);
    expect(reception.accepted).toEqual([]);
  });

  test.each([
    ['one recipient is named', [bob], true],
    ['two are not', [bob, 'eve@example.com'], false],
  ])('duty-4: in Received %s', async (_, to, named) => {
    const reception = new TestReception(inbound);
    await reception.send({ from: 'a@good.example', to, content: from('a@good.example') });
    const { text } = await reception.theMessage();
    expect(text.includes(`for <${bob}>`)).toBe(named);
    expect(text).not.toContain('for <eve');
  });

  test('a header that is too long is refused', async () => {
    const reception = new TestReception(inbound);
    const content = from('a@good.example', `X-Long: ${'x'.repeat(20_000)}\r\n`);
    expect(await reception.send({ from: 'a@good.example', to: bob, content })).toMatch(/^552 5\.3\.4 /);
  });
});

describe('mail from a trusted network', () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const signer = createSigner({ domain: 'example.com', selector: 's1', privateKeyPem, clock: fakeClock() });
  const trusted: ReceptionSetup = { ...inbound, trusted: true, signers: new Map([['example.com', signer]]) };

  test('P5: may go anywhere, and its sender is not checked', async () => {
    const reception = new TestReception(trusted);
    const letter = { from: 'a@strict.example', to: 'ann@example.net', content: from('a@strict.example') };
    expect(await reception.send(letter)).toMatch(/^250/);
    const { text, entry } = await reception.theMessage();
    expect(entry.jobs).toMatchObject([
      { recipient: 'ann@example.net', kind: 'remote', destination: 'example.net' },
    ]);
    expect(text).not.toMatch(/Authentication-Results|DKIM-Signature/);
  });

  test('M9: is signed where From is ours, with the Date and Message-ID that it did not have', async () => {
    const reception = new TestReception(trusted);
    await reception.send({ from: bob, to: 'ann@example.net', content: from(bob) });
    const { text, entry } = await reception.theMessage();
    expect(text).toMatch(/^DKIM-Signature: .*d=example\.com/m);
    expect(text).toMatch(/^Date: Mon, 0?5 Jan 2026 12:00:00 \+0000\r$/m);
    expect(text).toMatch(/^Message-ID: <[0-9A-Z]{14}@example\.com>\r$/m);
    expect(entry.events.map(({ event }) => event)).toContain('signed');
    expect(entry.message.messageId).toBe(/^Message-ID: (\S+)/m.exec(text)?.[1]); // so that bounces are known
  });
});

describe('a report about mail that went on from here', () => {
  const rewritten = 'SRS0=good@example.com';
  const returnPaths = {
    reverse: ({ localPart }: { localPart: string }) =>
      localPart.toLowerCase() === 'srs0=good'
        ? ({ kind: 'valid', sender: { localPart: 'ann', domain: 'example.net' } } as const)
        : ({ kind: 'forged' } as const),
  };
  const report =
    'From: mailer-daemon@plain.example\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n' +
    '\r\n--b\r\n\r\nIt failed.\r\n--b--\r\n';

  test.each([
    ['is no trouble of anybody’s here where it does not arrive', [rewritten], 'nobody'],
    ['is told to the postmaster where it is for somebody here, too', [bob, rewritten], 'postmaster'],
  ])('%s', async (_, to, failuresTo) => {
    const reception = new TestReception({ ...inbound, returnPaths });
    expect(await reception.send({ from: '', to, content: report })).toMatch(/^250/);
    expect(reception.accepted).toMatchObject([{ message: { failuresTo } }]);
  });
});

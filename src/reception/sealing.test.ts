import { expect, test } from 'vitest';
import { checkSender } from '../authentication/check.ts';
import { dkimRecord, generateDkimKey } from '../authentication/dkim-key.ts';
import { createSigner } from '../authentication/dkim-sign.ts';
import { scriptedResolver } from '../testing/scripted-resolver.ts';
import { systemClock } from '../util/clock.ts';
import { sealForwarded } from './sealing.ts';

const privateKeyPem = await generateDkimKey('ed25519');
const signer = createSigner({ domain: 'list.example', selector: 's', privateKeyPem, clock: systemClock });
const resolver = scriptedResolver({
  's._domainkey.list.example': { TXT: [dkimRecord(privateKeyPem).value] },
});
const header = 'From: a@example.com\r\nSubject: Hello\r\n\r\n';
const message = `${header}Hello.\r\n`;
const received = 'Received: from x by mx.list.example\r\n';

const check = (message: string) =>
  checkSender(
    { resolver, clock: systemClock },
    { clientAddress: '192.0.2.1', helo: 'x', reversePath: 'a@example.com', message: Buffer.from(message) },
  );

const parts = {
  hostname: 'mx.list.example',
  signers: new Map([['list.example', signer]]),
  clock: systemClock,
  arc: { seal: true },
};

const forwarded = {
  domain: 'list.example',
  header: Buffer.from(received + header),
  content: { kind: 'inline' as const, bytes: Buffer.from(message) },
  contentHeaderBytes: header.length,
  verdicts: await check(message),
};

test('sealForwarded() seals the message as it will be sent', async () => {
  const set = await sealForwarded(parts, forwarded);
  expect((await check(set + received + message)).arc).toMatchObject({
    result: 'pass',
    sets: [{ seal: { domain: 'list.example' }, results: expect.stringContaining('spf=none') }],
  });
});

test.each([
  ['by default', { ...parts, arc: { seal: false } }, forwarded],
  ['for a domain without a key', parts, { ...forwarded, domain: 'other.example' }],
  ['what was not checked', parts, { ...forwarded, verdicts: undefined }],
])('sealForwarded() does not seal %s', async (_, parts, forwarded) => {
  expect(await sealForwarded(parts, forwarded)).toBe('');
});

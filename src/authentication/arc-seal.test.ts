import { expect, test } from 'vitest';
import { parseHeader } from '../mail/header.ts';
import { scriptedResolver } from '../testing/scripted-resolver.ts';
import { systemClock } from '../util/clock.ts';
import { sealMessage } from './arc-seal.ts';
import { bodyHasher } from './body-hash.ts';
import { checkSender } from './check.ts';
import { dkimRecord, generateDkimKey } from './dkim-key.ts';
import { createSigner } from './dkim-sign.ts';
import type { Verdicts } from './verdicts.ts';

const privateKeyPem = await generateDkimKey();
const signer = createSigner({ domain: 'list.example', selector: 's', privateKeyPem, clock: systemClock });
const resolver = scriptedResolver({
  's._domainkey.list.example': { TXT: [dkimRecord(privateKeyPem).value] },
});
const letter = 'From: a@example.com\r\nTo: b@list.example\r\nSubject: Hello\r\n\r\nHello.\r\n';

const check = (message: string, trustedSealers: string[] = []) =>
  checkSender(
    { resolver, clock: systemClock, trustedSealers },
    {
      clientAddress: '192.0.2.1',
      helo: 'client.example',
      reversePath: 'a@example.com',
      message: Buffer.from(message),
    },
  );

function seal(message: string, verdicts: Verdicts) {
  const octets = Buffer.from(message);
  const header = octets.subarray(0, parseHeader(octets).bodyOffset);
  const hasher = bodyHasher();
  hasher.update(octets.subarray(header.length));
  const parts = { signer, hostname: 'mx.list.example', clock: systemClock };
  return sealMessage(parts, { header, bodyHash: hasher.digest(), verdicts });
}

async function sealed(message: string): Promise<string> {
  const set = await seal(message, await check(message));
  if (set === undefined) throw new Error('nothing was sealed');
  return set + message;
}

test('sealMessage() makes a chain that passes, and says what was found', async () => {
  const once = await sealed(letter);
  expect(once.replace(/\r\n\s+/g, ' ')).toMatch(
    /ARC-Authentication-Results: i=1; mx\.list\.example; spf=none .*; arc=none smtp\.remote-ip=192\.0\.2\.1\r\n/,
  );
  expect((await check(once)).arc).toMatchObject({ result: 'pass', instances: 1, oldestPass: 0 });
  const thrice = await sealed(await sealed(once));
  expect(parseHeader(Buffer.from(thrice)).malformed).toBeUndefined();
  expect((await check(thrice)).arc).toMatchObject({ result: 'pass', instances: 3, oldestPass: 0 });
  expect((await check(thrice.replace('Hello.', 'Hullo.'))).arc?.result).toBe('fail');
});

test('sealMessage() marks a chain that it found broken, and nobody adds to it any more', async () => {
  const broken = (await sealed(await sealed(letter))).replace('Hello.', 'Hullo.');
  const marked = await sealed(broken);
  expect(marked).toContain('cv=fail;');
  const verdicts = await check(marked);
  expect(verdicts.arc).toMatchObject({ result: 'fail', markedFailed: true, instances: 3 });
  expect(await seal(marked, verdicts)).toBeUndefined();
});

test('sealMessage() does not seal a chain that is full, or that could not be judged', async () => {
  const verdicts = await check(letter);
  const chain = { sets: [], reason: '' };
  expect(
    await seal(letter, { ...verdicts, arc: { ...chain, result: 'pass', instances: 50 } }),
  ).toBeUndefined();
  expect(
    await seal(letter, { ...verdicts, arc: { ...chain, result: 'temperror', instances: 1 } }),
  ).toBeUndefined();
});

test('a sealed DMARC pass is believed of trusted sealers only', async () => {
  const passing = await check(letter);
  const set = await seal(letter, { ...passing, dmarc: { ...passing.dmarc, result: 'pass' } });
  expect((await check(set + letter)).arc?.trusted).toBeUndefined();
  expect((await check(set + letter, ['list.example'])).arc?.trusted).toMatchObject({
    sealer: 'list.example',
  });
  const renamed = (set + letter).replace('From: a@example.com', 'From: a@example.org');
  expect((await check(renamed, ['list.example'])).arc?.trusted).toBeUndefined();
});

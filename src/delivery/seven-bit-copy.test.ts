import { isAscii } from 'node:buffer';
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createSigner } from '../authentication/dkim-sign.ts';
import { signMessage } from '../authentication/sign-message.ts';
import type { MessageRow } from '../store/message.ts';
import { fakeClock } from '../testing/fake-clock.ts';
import { sampleMessage } from '../testing/store.ts';
import { maxConvertedBytes, sevenBitCopy } from './seven-bit-copy.ts';

const { privateKey } = generateKeyPairSync('ed25519');
const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const signer = createSigner({ domain: 'example.com', selector: 's', privateKeyPem, clock: fakeClock() });
const signers = new Map([['example.com', signer]]);

const letter = Buffer.from(
  'From: a@example.com\r\nSubject: hi\r\n\r\nGrüße, and so much more that is ASCII\r\n',
);
const received = 'Received: by mx.example.com\r\n';

async function copyOf(
  changes: Partial<MessageRow>,
  { octets = letter, prefix = received }: { octets?: Buffer; prefix?: string } = {},
) {
  const content = { kind: 'inline', bytes: octets } as const;
  const sizeBytes = prefix.length + octets.length;
  const { message } = sampleMessage('Q1', {
    message: { prefix: Buffer.from(prefix), content, sizeBytes, ...changes },
  });
  const copy = await sevenBitCopy({ signers, message, content: () => [message.prefix, octets] });
  if (copy === undefined || 'reason' in copy) return copy?.reason;
  const pieces: Buffer[] = [];
  for await (const piece of copy.content()) pieces.push(piece);
  const bytes = Buffer.concat(pieces);
  expect([isAscii(bytes), bytes.length]).toEqual([true, copy.sizeBytes]);
  return bytes.toString();
}

describe('sevenBitCopy()', () => {
  test("of our own user's message: our fields in front, the 8-bit parts encoded", async () => {
    const copy = await copyOf({ submitter: 'a@example.com' });
    expect(copy).toMatch(/^Received: by mx\.example\.com\r\nFrom: a@example\.com\r\n/);
    expect(copy).toContain('Content-Transfer-Encoding: quoted-printable\r\n');
    expect(copy).toContain('Gr=C3=BC=C3=9Fe');
  });

  test('M9: is signed anew with the key that signed the message, and has no other signature of ours', async () => {
    const prefix = received + (await signMessage(signer, letter));
    const copy = (await copyOf({}, { prefix })) ?? '';
    expect(copy.match(/^DKIM-Signature:/gm)).toHaveLength(1);
    const unsigned = copy.replace(/^DKIM-Signature:.*\r\n(?:[ \t].*\r\n)*/m, '');
    expect(copy).toContain(await signMessage(signer, Buffer.from(unsigned)));
  });

  test('is undefined where the message is 7-bit', async () => {
    expect(await copyOf({}, { octets: Buffer.from('Subject: hi\r\n\r\nHello\r\n') })).toBeUndefined();
  });

  test.each([
    ['what others wrote', {}, {}, 'it is not from here'],
    [
      'what somebody else has signed in the name of another',
      {},
      { prefix: 'DKIM-Signature: v=1; d=example.net; b=x\r\n' },
      'it is not from here',
    ],
    ['what is too large', { submitter: 'a@example.com', sizeBytes: maxConvertedBytes + 1 }, {}, 'at most'],
    [
      'what is signed within',
      { submitter: 'a@example.com' },
      { octets: Buffer.from('Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\nü\r\n--b--\r\n') },
      'a multipart/signed must not be changed',
    ],
  ])('is not made of %s', async (_, changes, parts, reason) => {
    expect(await copyOf(changes, parts)).toContain(reason);
  });
});

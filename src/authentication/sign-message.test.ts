import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { SignedParts } from './dkim-sign.ts';
import { signMessage } from './sign-message.ts';

/** What signMessage() has signed. */
async function signed(message: string): Promise<{ header: string; bodyHash: string }> {
  const asked: SignedParts[] = [];
  const sign = async (parts: SignedParts) => {
    asked.push(parts);
    return 'DKIM-Signature: …';
  };
  await signMessage(
    {
      domain: 'example.com',
      selector: 's',
      algorithm: 'rsa-sha256',
      sign,
      signOctets: async () => Buffer.of(),
    },
    Buffer.from(message),
  );
  const [only] = asked;
  return { header: String(only?.header), bodyHash: only?.bodyHash ?? '' };
}

const hashOf = (body: string): string => createHash('sha256').update(body).digest('base64');

describe('signMessage()', () => {
  test('M9: signs the header section and the hash of the body', async () => {
    expect(await signed('Subject: x\r\n\r\nHello.\r\n')).toEqual({
      header: 'Subject: x\r\n\r\n',
      bodyHash: hashOf('Hello.\r\n'),
    });
  });

  test('takes a message without an empty line to be all header', async () => {
    expect(await signed('Subject: x\r\n')).toEqual({ header: 'Subject: x\r\n', bodyHash: hashOf('') });
  });
});

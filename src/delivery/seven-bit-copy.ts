/**
 * A message for a receiver without 8BITMIME (RFC 6152 §3). What our own users sent, or we did, is written in 7 bits and
 * signed anew; what others have written is not changed on its way, and so cannot go there.
 */

import { isAscii } from 'node:buffer';
import type { DkimSigner } from '../authentication/dkim-sign.ts';
import { signMessage } from '../authentication/sign-message.ts';
import { fieldValue, findFields, parseHeader, removeFields } from '../mail/header.ts';
import { NotConvertibleError, toSevenBit } from '../mail/seven-bit.ts';
import type { SevenBitCopy } from '../smtp/transaction.ts';
import type { MessageRow } from '../store/message.ts';

/** A message is converted in memory. */
export const maxConvertedBytes = 32 * 1024 * 1024;

export interface CopyParts {
  signers: ReadonlyMap<string, DkimSigner>;
  message: MessageRow;
  /** Begins to read prefix and content. */
  content(): Iterable<Buffer> | AsyncIterable<Buffer>;
}

const not = (why: string) => ({
  reason: `the receiver does not take 8-bit mail (8BITMIME), and the message is not converted: ${why}`,
});

/** The copy, or why there is none; undefined where the message is 7-bit as it is. Rejects where it cannot be read. */
export async function sevenBitCopy(parts: CopyParts): Promise<SevenBitCopy | { reason: string } | undefined> {
  const { message, content } = parts;
  if (await isSevenBit(content())) return undefined;
  const domain = signingDomain(parts);
  if (message.submitter === undefined && message.failuresTo !== 'nobody' && domain === undefined)
    return not('it is not from here, and what others have written stays as it is');
  if (message.sizeBytes > maxConvertedBytes)
    return not(`it has ${message.sizeBytes} octets, and at most ${maxConvertedBytes} are converted`);
  try {
    const converted = toSevenBit(Buffer.concat([withoutSignature(message), ...(await bodyOf(parts))]));
    const signer = domain === undefined ? undefined : parts.signers.get(domain);
    const signature = signer ? await signMessage(signer, converted) : '';
    const octets = Buffer.concat([Buffer.from(signature), converted]);
    return { content: () => [octets], sizeBytes: octets.length };
  } catch (error) {
    if (error instanceof NotConvertibleError) return not(error.message);
    throw error;
  }
}

async function isSevenBit(content: Iterable<Buffer> | AsyncIterable<Buffer>): Promise<boolean> {
  for await (const chunk of content) if (!isAscii(chunk)) return false;
  return true;
}

/** In whose name we have signed it: the prefix is ours, every field of it. */
function signingDomain({ signers, message }: CopyParts): string | undefined {
  const signatures = findFields(parseHeader(message.prefix).fields, 'dkim-signature');
  return signatures
    .map((field) => /(?:^|;)\s*d=([^;\s]+)/.exec(fieldValue(field))?.[1])
    .find((domain) => domain !== undefined && signers.has(domain));
}

/** Over what is changed it would be broken. */
const withoutSignature = ({ prefix }: MessageRow): Buffer =>
  removeFields(parseHeader(prefix), ({ name }) => name === 'dkim-signature');

/** The content without the prefix that comes before it. */
async function bodyOf({ message, content }: CopyParts): Promise<Buffer[]> {
  const pieces: Buffer[] = [];
  let skip = message.prefix.length;
  for await (const chunk of content()) {
    if (skip < chunk.length) pieces.push(Buffer.from(chunk.subarray(skip)));
    skip = Math.max(0, skip - chunk.length);
  }
  return pieces;
}

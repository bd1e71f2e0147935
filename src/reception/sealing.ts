/**
 * ARC seals on mail that is forwarded: with the key of the domain that forwards it, over what the sender checks found.
 * Off by default, and without cost then. RFC 8617 §5.1.
 */

import type { Verdicts } from '../authentication/verdicts.ts';
import { readContent } from '../store/content.ts';
import type { Content } from '../store/message.ts';
import type { Clock } from '../util/clock.ts';
import type { Transaction } from './door.ts';
import type { MessageCollector } from './message-collector.ts';
import type { Signers } from './signing.ts';

export interface SealingParts {
  hostname: string;
  signers: Signers;
  clock: Clock;
  /** Absent: nothing is sealed. */
  arc?: { seal: boolean };
}

export interface ForwardedMessage {
  /** The domain that forwards, A-labels. */
  domain: string;
  /** The header section as it will be sent, with all that we add. */
  header: Buffer;
  content: Content;
  /** Octets of the content that are header; the body follows. */
  contentHeaderBytes: number;
  /** Absent for mail that was not checked: there is nothing to vouch for. */
  verdicts: Verdicts | undefined;
}

/** The fields of a new ARC set, to be put before the header; '' where there is none to make. Rejects where reading does. */
export async function sealForwarded(parts: SealingParts, forwarded: ForwardedMessage): Promise<string> {
  const { signers, arc } = parts;
  const { domain, header, verdicts } = forwarded;
  const signer = signers.get(domain);
  if (!arc?.seal || signer === undefined || verdicts === undefined) return '';
  const { sealMessage } = await import('../authentication/arc-seal.ts');
  const bodyHash = await hashBody(forwarded);
  return (await sealMessage({ ...parts, signer }, { header, bodyHash, verdicts })) ?? '';
}

async function hashBody({ content, contentHeaderBytes }: ForwardedMessage): Promise<string> {
  const { bodyHasher } = await import('../authentication/body-hash.ts');
  const hasher = bodyHasher();
  let skip = contentHeaderBytes;
  for await (const chunk of readContent(content)) {
    if (skip < chunk.length) hasher.update(chunk.subarray(skip));
    skip = Math.max(0, skip - chunk.length);
  }
  return hasher.digest();
}

/** A message as its door has it. */
export interface Onward {
  transaction: Transaction;
  collector: MessageCollector;
  content: Content;
  /** What we put in front of it. */
  fields: string;
  verdicts: Verdicts;
}

/** Where some of it goes on elsewhere, the seal of the domain that passes it on. Those who get it here see it too. */
export async function sealOnward(parts: SealingParts, onward: Onward): Promise<string> {
  const { transaction, collector, content, fields, verdicts } = onward;
  const first = transaction.recipients.find(({ kind, redirected }) => kind === 'remote' && redirected);
  const forwarder = first?.forwardedBy ?? first?.redirected?.from;
  if (forwarder === undefined) return '';
  return sealForwarded(parts, {
    domain: forwarder.slice(forwarder.lastIndexOf('@') + 1),
    header: Buffer.concat([Buffer.from(fields), collector.header]),
    content,
    contentHeaderBytes: collector.header.length,
    verdicts,
  });
}

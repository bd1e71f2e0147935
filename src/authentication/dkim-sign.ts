/**
 * DKIM signing: from a header section and a body hash to a DKIM-Signature field, relaxed/relaxed, signed in the thread
 * pool. It never sees the body (body-hash.ts hashes it while it streams) and decides nothing about who may sign.
 * RFC 6376, RFC 8301 (rsa-sha256), RFC 8463 (ed25519-sha256).
 */

import { createHash, sign as cryptoSign, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { foldField } from '../mail/fold.ts';
import { type HeaderField, parseHeader } from '../mail/header.ts';
import type { Clock } from '../util/clock.ts';
import { relaxedField } from './canonical-header.ts';
import { type DkimKeyType, parseDkimKey } from './dkim-key.ts';

const signInThreadPool = promisify(
  (
    algorithm: string | null,
    data: Buffer,
    key: KeyObject,
    done: (error: Error | null, signature: Buffer) => void,
  ) => cryptoSign(algorithm, data, key, done),
);

/**
 * Oversigned: each occurrence is signed and one more is named, so that nobody can add another without breaking the
 * signature (RFC 6376 §5.4.2, §8.15). The list is §5.4.1's core of the message, which no honest relay adds to, with
 * the fields that say how the body is read, and the two that make a mail client act on one click (RFC 8058 §4).
 */
export const oversignedFields: readonly string[] = [
  'From',
  'To',
  'Cc',
  'Subject',
  'Date',
  'Message-ID',
  'Reply-To',
  'In-Reply-To',
  'References',
  'MIME-Version',
  'Content-Type',
  'Content-Transfer-Encoding',
  'List-Unsubscribe',
  'List-Unsubscribe-Post',
];

/**
 * Signed where present only: §5.4.1's remainder. Mailing lists and people who resend add these, rightly, and their
 * additions must not break the author's signature. Trace fields and Return-Path are never signed (§5.4.1).
 */
const signedIfPresent: readonly string[] = [
  'Sender',
  'Resent-Date',
  'Resent-From',
  'Resent-To',
  'Resent-Cc',
  'List-Id',
  'List-Help',
  'List-Subscribe',
  'List-Post',
  'List-Owner',
  'List-Archive',
  'TLS-Report-Domain',
  'TLS-Report-Submitter',
  // RFC 9477 §3.1.
  'CFBL-Address',
  'CFBL-Feedback-ID',
];

export interface DkimKeyName {
  selector: string;
  algorithm: 'rsa-sha256' | 'ed25519-sha256';
}

export interface DkimSigner extends DkimKeyName {
  domain: string;
  /** Other keys that sign beside it. */
  also?: readonly DkimKeyName[];
  /** The field, folded, with its final CRLF, one for each key; to be put before the header. */
  sign(message: SignedParts): Promise<string>;
  /** The bare signature of octets that are in canonical form already, for other fields that the key signs. */
  signOctets(canonical: Buffer): Promise<Buffer>;
}

export interface SignedParts {
  /** The header section as it will be sent; anything from the empty line on is ignored. */
  header: Buffer;
  /** The base64 result of bodyHasher(). */
  bodyHash: string;
}

export interface SignerOptions {
  /** A-labels. */
  domain: string;
  selector: string;
  privateKeyPem: string;
  clock: Clock;
}

/**
 * A signer for one domain; its key is parsed once.
 * @throws Error as parseDkimKey() does.
 */
export function createSigner({ domain, selector, privateKeyPem, clock }: SignerOptions): DkimSigner {
  const { key, type } = parseDkimKey(privateKeyPem);
  const algorithm = `${type}-sha256` as const;
  const fixedTags = ['v=1;', `a=${algorithm};`, 'c=relaxed/relaxed;', `d=${domain};`, `s=${selector};`];
  const signOctets = (canonical: Buffer) => signCanonical(canonical, key, type);
  return {
    domain,
    selector,
    algorithm,
    signOctets,
    async sign({ header, bodyHash }) {
      const signed = selectFields(parseHeader(header).fields);
      const time = `t=${Math.floor(clock.now() / 1000)};`;
      const names = cutNames(`h=${signed.names.join(':')};`);
      const tags = [...fixedTags, time, ...names, `bh=${bodyHash};`, 'b='];
      const unsigned = Buffer.from(foldField('DKIM-Signature', tags));
      const canonical = [...signed.fields.map(({ raw }) => raw), unsigned].map(relaxedField).join('\r\n');
      const signature = await signOctets(Buffer.from(canonical, 'latin1'));
      return foldField('DKIM-Signature', [...tags, ...cutBase64(signature.toString('base64'))]);
    },
  };
}

/**
 * One signer for all keys of a domain: a message gets a signature of each, for receivers that know only one algorithm
 * (RFC 8463 §3). What has a single signature, such as a seal, is made by the RSA key, which everybody can verify.
 */
export function joinSigners([first, ...others]: readonly [DkimSigner, ...DkimSigner[]]): DkimSigner {
  if (others.length === 0) return first;
  const all = [first, ...others];
  const lead = all.find(({ algorithm }) => algorithm === 'rsa-sha256') ?? first;
  const also = all
    .filter((signer) => signer !== lead)
    .map(({ selector, algorithm }) => ({ selector, algorithm }));
  return {
    ...lead,
    also,
    sign: async (message) => (await Promise.all(all.map((signer) => signer.sign(message)))).join(''),
  };
}

/**
 * The names of `h=` in order, and the fields they stand for: repeated names from the last field up (RFC 6376 §5.4.2).
 * `more`: names besides that are signed where they are present.
 */
export function selectFields(
  fields: readonly HeaderField[],
  more: readonly string[] = [],
): { names: string[]; fields: HeaderField[] } {
  const byName = Map.groupBy(fields, ({ name }) => name);
  const present = [...oversignedFields, ...signedIfPresent, ...more].flatMap((name) =>
    (byName.get(name.toLowerCase()) ?? []).toReversed().map((field) => ({ name, field })),
  );
  return {
    names: [...present.map(({ name }) => name), ...oversignedFields],
    fields: present.map(({ field }) => field),
  };
}

/** RSA signs the SHA-256 of the header itself; Ed25519 signs the 32 octets of it as its message (RFC 8463 §3). */
function signCanonical(canonical: Buffer, key: KeyObject, type: DkimKeyType): Promise<Buffer> {
  if (type === 'rsa') return signInThreadPool('sha256', canonical, key);
  return signInThreadPool(null, createHash('sha256').update(canonical).digest(), key);
}

/** Cut where a fold is harmless: anywhere in base64, after colons in `h=` (RFC 6376 §3.5). */
const cutBase64 = (value: string): string[] => value.match(/.{1,72}/g) ?? [];
export const cutNames = (value: string): string[] => value.match(/.{1,70}(?::|$)/g) ?? [];

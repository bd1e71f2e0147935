/**
 * DKIM verification: what the signatures of a message say of it. Their fields are read and their keys asked for before
 * the body is read, and judged after it. What a hostile message can ask is bounded by signatureLimits.
 * RFC 6376 §6, RFC 8301, RFC 8463; RFC 8601 §2.7.1 for the words.
 */

import { fieldValue, type HeaderField } from '../mail/header.ts';
import { trim } from '../util/trim.ts';
import type { WantedHash } from './body-hash.ts';
import type { FoundKey, KeyFinder } from './key-record.ts';
import { isTime, type MessageSignature, type Problem, readMessageSignature } from './signature.ts';
import { checkSignature } from './signature-check.ts';
import type { SignedBody } from './signed-body.ts';
import { type SignedHeader, signatureLimits } from './signed-header.ts';
import { listOf, readTags, type Tags } from './tag-list.ts';
import type { DkimResult, DkimVerdict } from './verdicts.ts';

/** One message, as all of its signatures see it. */
export interface SignedMessage {
  header: SignedHeader;
  body: SignedBody;
  findKey: KeyFinder;
  /** Milliseconds since the epoch: signatures expire. */
  now: number;
}

/** Begins to verify the DKIM-Signature fields among `fields`; the verdicts are to be had when the body was read. */
export function startDkim(
  message: SignedMessage,
  fields: readonly HeaderField[],
): () => Promise<DkimVerdict[]> {
  const signatures = fields.filter(({ name }) => name === 'dkim-signature');
  const checked = signatures.slice(0, signatureLimits.signatures).map((field) => start(message, field));
  const skipped = signatures.length - checked.length;
  return async () => {
    const verdicts = await Promise.all(checked.map((finish) => finish()));
    return skipped === 0 ? verdicts : [...verdicts, skippedVerdict(skipped)];
  };
}

type Finish = () => Promise<DkimVerdict>;

function start(message: SignedMessage, field: HeaderField): Finish {
  if (field.raw.length > signatureLimits.signatureOctets)
    return async () => unverified({}, 'policy', 'the signature field is too long');
  const { tags, problem } = readTags(fieldValue(field));
  if (!tags) return async () => unverified({}, 'neutral', `the signature cannot be read: ${problem}`);
  const facts = factsOf(tags);
  const signature = readDkimSignature(tags, message.now);
  if ('problem' in signature)
    return async () => unverified(facts, signature.isPolicy ? 'policy' : 'neutral', signature.problem);
  const covered = message.header.covered(field, signature);
  if (typeof covered === 'string') return async () => unverified({}, 'policy', covered);

  const { canonicalization, length = Number.POSITIVE_INFINITY } = signature;
  const bodyHash = message.body.want(canonicalization.body, length);
  const key = message.findKey(signature.selector, signature.domain);
  key.catch(() => undefined); // awaited below; the body, which is read before, may be what rejects
  return async () => judge({ message, tags, facts, signature, covered, bodyHash, key: await key });
}

interface Started {
  message: SignedMessage;
  tags: Tags;
  facts: SignatureFacts;
  signature: MessageSignature;
  covered: Buffer;
  bodyHash: WantedHash;
  key: FoundKey;
}

async function judge({ message, tags, facts, signature, covered, bodyHash, key }: Started) {
  const { cutBy } = message.body;
  if (cutBy !== undefined) return unverified(facts, 'temperror', cutBy);
  const bodyProblem = findBodyProblem(signature, bodyHash);
  if (bodyProblem !== undefined) return { ...unverified(facts, 'fail', bodyProblem), ...keyFacts(key) };
  const check = await checkSignature(signature, key, covered);
  const known = { ...facts, ...keyFacts(key) };
  if (check.result !== 'pass') return unverified(known, check.result, check.reason);
  if (check.key?.strictIdentity && identityDomain(tags, signature.domain) !== signature.domain)
    return unverified(known, 'permerror', `the key is for i= of ${signature.domain} only (t=s)`);
  const unsigned = bodyHash.bodyOctets() - (signature.length ?? bodyHash.bodyOctets());
  const reasons = [
    'verified',
    ...(unsigned > 0 ? [`the last ${unsigned} octets of the body are not signed (l=)`] : []),
    ...(check.key?.testing ? ['the domain is testing DKIM (t=y)'] : []),
  ];
  const verdict = unverified(known, 'pass', reasons.join('; '));
  return unsigned > 0 ? { ...verdict, unsignedOctets: unsigned } : verdict;
}

function findBodyProblem({ bodyHash, length = 0 }: MessageSignature, hash: WantedHash): string | undefined {
  if (length > hash.bodyOctets()) return 'the body is shorter than l= says';
  return hash.digest().replace(/=+$/, '') === bodyHash.replace(/=+$/, '')
    ? undefined
    : 'the body is not the one that was signed (bh=)';
}

/** RFC 6376 §6.1.1: what must be true of a DKIM-Signature field before anything is looked up. */
export function readDkimSignature(tags: Tags, now: number): MessageSignature | Problem {
  if (tags.get('v') !== '1') return { problem: 'v= is not 1' };
  const signature = readMessageSignature(tags);
  if ('problem' in signature) return signature;
  if (!signature.names.includes('from')) return { problem: 'From is not signed (h=)' };
  if (!listOf(tags.get('q') ?? 'dns/txt').includes('dns/txt'))
    return { problem: 'q= names no way to get the key that is known' };
  const identity = identityDomain(tags, signature.domain);
  if (identity !== signature.domain && !identity.endsWith(`.${signature.domain}`))
    return { problem: 'i= is not of the domain in d=' };
  return findTimeProblem(tags, now) ?? signature;
}

function findTimeProblem(tags: Tags, now: number): Problem | undefined {
  const expires = tags.get('x');
  if (expires === undefined) return undefined;
  if (!isTime(expires)) return { problem: 'x= is no time' };
  if (Number(expires) <= Number(tags.get('t') ?? -1)) return { problem: 'x= is not after t=' };
  return Number(expires) * 1000 < now ? { problem: 'the signature has expired (x=)' } : undefined;
}

/** The domain of `i=`, which is that of `d=` where nothing is said. */
function identityDomain(tags: Tags, domain: string): string {
  const identity = tags.get('i');
  return identity === undefined ? domain : trim(identity.slice(identity.lastIndexOf('@') + 1)).toLowerCase();
}

type SignatureFacts = Partial<
  Pick<DkimVerdict, 'domain' | 'selector' | 'algorithm' | 'signature' | 'keyBits' | 'keyRecord'>
>;

/** What is told of a signature, valid or not: what a hostile field holds in place of a name is not carried on. */
function factsOf(tags: Tags): SignatureFacts {
  return {
    domain: printable(tags.get('d')).toLowerCase(),
    selector: printable(tags.get('s')),
    algorithm: printable(tags.get('a')).toLowerCase(),
    signature: (tags.get('b') ?? '').replace(/[^\x21-\x7e]+/g, '').slice(0, 8),
  };
}

function keyFacts(key: FoundKey): SignatureFacts {
  if (key.status === 'usable') return { keyBits: key.key.bits, keyRecord: key.text };
  return key.status === 'unusable' ? { keyRecord: key.text } : {};
}

const longestName = 255;

function printable(value = ''): string {
  return value.length <= longestName ? value.replace(/[^\x21-\x7e]/g, '?') : '';
}

function unverified(facts: SignatureFacts, result: DkimResult, reason: string): DkimVerdict {
  const { domain = '', selector = '', algorithm = '', signature = '', ...key } = facts;
  return { result, domain, selector, algorithm, ...key, signature, aligned: false, reason };
}

function skippedVerdict(signatures: number): DkimVerdict {
  const reason = `${signatures} ${signatures === 1 ? 'signature' : 'signatures'} not checked: only ${signatureLimits.signatures} signatures are checked`;
  return unverified({}, 'policy', reason);
}

/**
 * ARC verification: is the chain of sets whole, and what did those who sealed it find? Begun before the body is read, and
 * judged after it. RFC 8617 §5.2; RFC 8601 for what is told of it.
 */

import type { HeaderField } from '../mail/header.ts';
import { type ArcChain, type ArcSet, findChain } from './arc-sets.ts';
import { findTrust, type TrustedSealers } from './arc-trust.ts';
import type { WantedHash } from './body-hash.ts';
import { relaxedField, withoutSignature } from './canonical-header.ts';
import type { SignedMessage } from './dkim-verify.ts';
import { type FoundKey, shownText } from './key-record.ts';
import { checkSignature, type SignatureCheck } from './signature-check.ts';
import type { ArcSetVerdict, ArcVerdict } from './verdicts.ts';

/** Begins to verify the ARC sets among `fields`; the verdict is to be had when the body was read. */
export function startArc(
  message: SignedMessage,
  fields: readonly HeaderField[],
  trust: TrustedSealers,
): () => Promise<ArcVerdict> {
  const chain = findChain(fields);
  if (chain === undefined) return async () => noChain;
  if (chain.problem !== undefined) return async () => brokenChain(chain);
  const started = chain.sets.map((set) => start(message, set));
  return async () => {
    const checked = await check(message, started);
    const verdict = verdictOf(checked);
    const trusted = verdict.result === 'pass' && findTrust(checked.toReversed().map(vouchingOf), trust);
    return trusted ? { ...verdict, trusted } : verdict;
  };
}

const noChain: ArcVerdict = { result: 'none', sets: [], reason: 'the message has no ARC sets' };

function brokenChain(chain: ArcChain & { problem: string }): ArcVerdict {
  const { problem, highest, markedFailed } = chain;
  return {
    result: 'fail',
    instances: highest,
    ...(markedFailed && { markedFailed }),
    sets: [],
    reason: problem,
  };
}

interface StartedSet {
  set: ArcSet;
  /** What its message signature covers of the header, or why that is not looked at. */
  covered: Buffer | string;
  bodyHash: WantedHash;
  messageKey: Promise<FoundKey>;
  sealKey: Promise<FoundKey>;
}

function start({ header, body, findKey }: SignedMessage, set: ArcSet): StartedSet {
  const { message, seal } = set.signatures;
  const { canonicalization, length = Number.POSITIVE_INFINITY } = message;
  const keys = [findKey(message.selector, message.domain), findKey(seal.selector, seal.domain)] as const;
  for (const key of keys) key.catch(() => undefined); // awaited below; the body, which is read before, may be what rejects
  return {
    set,
    covered: header.covered(set.messageSignature, message),
    bodyHash: body.want(canonicalization.body, length),
    messageKey: keys[0],
    sealKey: keys[1],
  };
}

async function check({ body }: SignedMessage, started: readonly StartedSet[]): Promise<CheckedSet[]> {
  const checked: CheckedSet[] = [];
  const lines: string[] = [];
  for (const one of started) {
    const own = ownLines(one.set);
    const covered = Buffer.from([...lines, own.sealed].join('\r\n'), 'latin1');
    lines.push(own.whole);
    const seal = await checkSignature(one.set.signatures.seal, await one.sealKey, covered);
    checked.push({ set: one.set, seal, message: await checkMessage(one, body.cutBy) });
  }
  return checked;
}

/** The lines of one set as the seals after it cover them, and as its own seal does: without its `b=`. */
function ownLines({ results, messageSignature, seal }: ArcSet): { whole: string; sealed: string } {
  const first = [relaxedField(results.raw), relaxedField(messageSignature.raw)];
  return {
    whole: [...first, relaxedField(seal.raw)].join('\r\n'),
    sealed: [...first, relaxedField(withoutSignature(seal.raw))].join('\r\n'),
  };
}

async function checkMessage(started: StartedSet, cutBy: string | undefined): Promise<SignatureCheck> {
  const { set, covered, bodyHash, messageKey } = started;
  const { message } = set.signatures;
  if (typeof covered === 'string') return { result: 'policy', reason: covered };
  if (cutBy !== undefined) return { result: 'temperror', reason: cutBy };
  if ((message.length ?? 0) > bodyHash.bodyOctets())
    return { result: 'fail', reason: 'the body is shorter than l= says' };
  if (bodyHash.digest().replace(/=+$/, '') !== message.bodyHash.replace(/=+$/, ''))
    return { result: 'fail', reason: 'the body is not the one that was signed (bh=)' };
  return checkSignature(message, await messageKey, covered);
}

interface CheckedSet {
  set: ArcSet;
  message: SignatureCheck;
  seal: SignatureCheck;
}

/** Sets that a verdict tells of, the latest; `instances` says how many there are. */
const shownSets = 10;

function verdictOf(checked: readonly CheckedSet[]): ArcVerdict {
  const sets = checked.toReversed().slice(0, shownSets).map(setVerdict);
  const instances = checked.length;
  const broken = checked.toReversed().flatMap((one, index) => problemsOf(one, index === 0));
  const open = broken.find(({ result }) => result === 'temperror');
  const certain = broken.find(({ result }) => result !== 'temperror');
  const problem = certain ?? open;
  if (problem) return { result: certain ? 'fail' : 'temperror', instances, sets, reason: problem.reason };
  return { result: 'pass', instances, oldestPass: oldestPass(checked), sets, reason: passReason(checked) };
}

/** The message as it is now need be what the last one sealed only (step 4); the seals must all hold (step 6). */
function problemsOf(
  { set, message, seal }: CheckedSet,
  isLast: boolean,
): { result: string; reason: string }[] {
  const problems = isLast ? [{ check: message, what: 'arc-message-signature' }] : [];
  return [...problems, { check: seal, what: 'arc-seal' }].flatMap(({ check, what }) =>
    check.result === 'pass'
      ? []
      : [{ result: check.result, reason: `set ${set.instance}: ${what}: ${check.reason}` }],
  );
}

/** The lowest instance from which on all message signatures hold; 0 where all do (RFC 8617 §5.2, step 5). */
function oldestPass(checked: readonly CheckedSet[]): number {
  const lastFailure = checked.findLastIndex(({ message }) => message.result !== 'pass');
  return lastFailure < 0 ? 0 : lastFailure + 2;
}

function vouchingOf({ set, message }: CheckedSet) {
  const { instance, signatures, resultsText } = set;
  return {
    instance,
    domains: [signatures.seal.domain, signatures.message.domain],
    isUnchanged: message.result === 'pass',
    results: resultsText,
  };
}

function setVerdict({ set, message, seal }: CheckedSet): ArcSetVerdict {
  const { signatures } = set;
  return {
    instance: set.instance,
    cv: set.cv,
    seal: { ...identity(signatures.seal), ...outcome(seal) },
    messageSignature: { ...identity(signatures.message), ...outcome(message) },
    results: shownText(set.resultsText),
  };
}

const identity = ({ domain, selector, algorithm }: ArcSet['signatures']['seal']) => ({
  domain,
  selector,
  algorithm,
});

function outcome(check: SignatureCheck) {
  const { result, key, record } = check;
  return {
    result,
    ...(key && { keyBits: key.bits }),
    ...(record !== undefined && { keyRecord: record }),
    reason: check.result === 'pass' ? 'verified' : check.reason,
  };
}

function passReason(checked: readonly CheckedSet[]): string {
  const sealers = checked.map(({ set }) => set.signatures.seal.domain);
  return `sealed by ${sealers.slice(0, 5).join(', then ')}${sealers.length > 5 ? ' and others' : ''}`;
}

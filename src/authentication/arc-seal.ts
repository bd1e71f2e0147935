/**
 * Sealing: the three ARC fields that say what was found of a message before it is passed on. It decides neither what is
 * sealed nor by whose key. RFC 8617 §4.1, §5.1.
 */

import { foldField } from '../mail/fold.ts';
import { type HeaderField, parseHeader } from '../mail/header.ts';
import type { Clock } from '../util/clock.ts';
import { type ArcSet, arcLimits, findChain } from './arc-sets.ts';
import { relaxedField } from './canonical-header.ts';
import { cutNames, type DkimSigner, selectFields } from './dkim-sign.ts';
import { authenticationResults } from './results.ts';
import type { ArcVerdict, Verdicts } from './verdicts.ts';

export interface SealedMessage {
  /** The header section as it will be sent, below the new fields; anything from the empty line on is ignored. */
  header: Buffer;
  /** The base64 result of bodyHasher(), for the body as it will be sent. */
  bodyHash: string;
  /** What was found of the message when it came. */
  verdicts: Verdicts;
}

export interface SealParts {
  /** With the key of the domain that passes the message on. */
  signer: DkimSigner;
  /** Our own name: the authserv-id of the results. */
  hostname: string;
  clock: Pick<Clock, 'now'>;
}

/**
 * The fields of a new ARC set, each folded, to be put before the header; undefined where the chain must not grow: it is
 * full, its last set has marked it as broken, or it could not be judged.
 */
export async function sealMessage(
  { signer, hostname, clock }: SealParts,
  { header, bodyHash, verdicts }: SealedMessage,
): Promise<string | undefined> {
  const chain = verdicts.arc;
  if (chain === undefined) return undefined;
  const { fields } = parseHeader(header);
  const results = authenticationResults(
    // What a sealer found of the chain is part of what it says, even that there was none (§4.1.1).
    verdicts,
    hostname,
    { withChain: true },
  ).replace(/^Authentication-Results: |\r\n$/g, '');
  return sealFields(signer, {
    fields,
    bodyHash,
    results,
    chain,
    names: selectFields(fields, ['DKIM-Signature']).names,
    time: Math.floor(clock.now() / 1000),
  });
}

/** RFC 8617 §5.1, steps 1 and 2; what is not known now may be in order. */
function mayGrow({ result, instances = 0, markedFailed }: SealedFields['chain']): boolean {
  if (markedFailed || result === 'temperror') return false;
  // Fields that could not even be counted leave no number for the next.
  return result === 'none' || (instances > 0 && instances < arcLimits.sets);
}

export interface SealedFields {
  fields: readonly HeaderField[];
  bodyHash: string;
  /** The value of the results, from their authserv-id on. */
  results: string;
  chain: Pick<ArcVerdict, 'result' | 'instances' | 'markedFailed'>;
  /** What is signed, as `h=` names it. */
  names: readonly string[];
  /** Seconds since the epoch. */
  time: number;
}

/** As sealMessage(), with what it chooses given. Tags are in the order of their names, as everybody's. */
export async function sealFields(signer: DkimSigner, sealed: SealedFields): Promise<string | undefined> {
  const { fields, bodyHash, names, chain, time } = sealed;
  if (!mayGrow(chain)) return undefined;
  const instance = (chain.instances ?? 0) + 1;
  const cv = chain.result;
  const results = `ARC-Authentication-Results: i=${instance}; ${sealed.results}\r\n`;
  const [a, d, s, i, t] = [
    `a=${signer.algorithm};`,
    `d=${signer.domain};`,
    `s=${signer.selector};`,
    `i=${instance};`,
    `t=${time}`,
  ];
  const message = await signedField(signer, 'ARC-Message-Signature', coveredLines(fields, names), {
    before: [a],
    after: [`bh=${bodyHash};`, 'c=relaxed/relaxed;', d, ...cutNames(`h=${names.join(':')};`), i, s, t],
  });
  // A broken chain is sealed as if this set were the only one (§5.1.2).
  const older = cv === 'pass' ? olderLines(fields) : [];
  const seal = await signedField(signer, 'ARC-Seal', [...older, ...[results, message].map(canonical)], {
    before: [a],
    after: [`cv=${cv};`, d, i, s, t],
  });
  return seal + message + results;
}

const canonical = (field: string): string => relaxedField(Buffer.from(field));

function olderLines(fields: readonly HeaderField[]): string[] {
  const chain = findChain(fields);
  const sets: readonly ArcSet[] = chain?.problem === undefined ? (chain?.sets ?? []) : [];
  return sets.flatMap(({ results, messageSignature, seal }) =>
    [results, messageSignature, seal].map(({ raw }) => relaxedField(raw)),
  );
}

/** A name that is repeated stands for the fields of it from the last one up (RFC 6376 §5.4.2). */
function coveredLines(fields: readonly HeaderField[], names: readonly string[]): string[] {
  const left = Map.groupBy(fields, ({ name }) => name);
  return names.flatMap((name) => {
    const field = left.get(name.toLowerCase())?.pop();
    return field === undefined ? [] : [relaxedField(field.raw)];
  });
}

/** The field with its `b=` between the other tags, over the lines and itself. */
async function signedField(
  signer: DkimSigner,
  name: string,
  lines: readonly string[],
  tags: { before: string[]; after: string[] },
): Promise<string> {
  const write = (b: readonly string[]) => foldField(name, [...tags.before, ...b, ...tags.after]);
  const covered = [...lines, canonical(write(['b=;']))].join('\r\n');
  const signature = await signer.signOctets(Buffer.from(covered, 'latin1'));
  // In one piece, although the line is long: white space in it would count for the seals to come.
  return write([`b=${signature.toString('base64')};`]);
}

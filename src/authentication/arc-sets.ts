/**
 * The ARC sets of a message: three fields each, in the order of their instances, and whether they make a chain at all.
 * No signature is checked. RFC 8617 §4.1, §4.2, §5.2 (steps 1 to 3).
 */

import { fieldValue, type HeaderField } from '../mail/header.ts';
import { trim } from '../util/trim.ts';
import { type MessageSignature, readMessageSignature, readSignature, type Signature } from './signature.ts';
import { signatureLimits } from './signed-header.ts';
import { readTags, type Tags } from './tag-list.ts';

export type ChainValidation = 'none' | 'pass' | 'fail';

export interface ArcSet {
  instance: number;
  /** The fields as they came. */
  results: HeaderField;
  messageSignature: HeaderField;
  seal: HeaderField;
  /** What the ARC-Seal says of the chain before it (`cv=`). */
  cv: ChainValidation;
  /** ARC-Authentication-Results, without its instance. */
  resultsText: string;
  signatures: { message: MessageSignature; seal: Signature };
}

/** `highest`: the number of the last set, as far as its fields could be read. */
export type ArcChain =
  | { sets: readonly ArcSet[]; problem?: never }
  | { problem: string; highest: number; markedFailed?: boolean };

export const arcLimits = {
  /** RFC 8617 §4.2.1. */
  sets: 50,
  /** Octets of all the ARC fields of a message: each seal covers those of all the sets before it. */
  octets: 256 * 1024,
} as const;

const names = ['arc-authentication-results', 'arc-message-signature', 'arc-seal'] as const;
type ArcName = (typeof names)[number];

/** Undefined where the message has no ARC field at all. */
export function findChain(fields: readonly HeaderField[]): ArcChain | undefined {
  const arcFields = fields.filter(({ name }) => isArcName(name));
  if (arcFields.length === 0) return undefined;
  if (arcFields.length > arcLimits.sets * names.length)
    return { problem: `there are more than ${arcLimits.sets} ARC sets`, highest: 0 };
  if (arcFields.reduce((sum, { raw }) => sum + raw.length, 0) > arcLimits.octets)
    return { problem: `the ARC fields are longer than ${arcLimits.octets} octets`, highest: 0 };
  return chainOf(arcFields);
}

const isArcName = (name: string): name is ArcName => names.some((known) => known === name);

interface Instances {
  byName: Record<ArcName, Map<number, Read>>;
  highest: number;
  problem?: string;
}

interface Read {
  field: HeaderField;
  tags: Tags;
  text: string;
}

function chainOf(fields: readonly HeaderField[]): ArcChain {
  const { byName, highest, problem } = byInstance(fields);
  // The last to seal has found the chain broken: nothing can mend that, and nothing else need be looked at (step 2).
  const markedFailed = byName['arc-seal'].get(highest)?.tags.get('cv') === 'fail';
  if (markedFailed)
    return {
      problem: `set ${highest} says that the chain was broken before (cv=fail)`,
      highest,
      markedFailed,
    };
  if (problem !== undefined) return { problem, highest };
  const sets: ArcSet[] = [];
  for (let instance = 1; instance <= highest; instance++) {
    const set = readSet(byName, instance);
    if ('problem' in set) return { problem: `set ${instance}: ${set.problem}`, highest };
    sets.push(set);
  }
  return { sets };
}

function byInstance(fields: readonly HeaderField[]): Instances {
  // Made from the names, one by one.
  const byName = Object.fromEntries(names.map((name) => [name, new Map()])) as Instances['byName'];
  const found: Instances = { byName, highest: 0 };
  for (const field of fields) {
    const read = readField(field);
    if ('problem' in read) found.problem ??= `${field.name}: ${read.problem}`;
    else if (!isArcName(field.name)) continue;
    else if (byName[field.name].has(read.instance))
      found.problem ??= `there are two ${field.name} of set ${read.instance}`;
    else {
      byName[field.name].set(read.instance, { ...read, field });
      found.highest = Math.max(found.highest, read.instance);
    }
  }
  return found;
}

function readField(field: HeaderField): { instance: number; tags: Tags; text: string } | { problem: string } {
  const value = fieldValue(field);
  if (field.name === 'arc-authentication-results') return readResults(value);
  if (field.raw.length > signatureLimits.signatureOctets) return { problem: 'it is too long' };
  const { tags, problem } = readTags(value);
  if (!tags) return { problem };
  const instance = readInstance(tags.get('i'));
  return instance === undefined
    ? { problem: 'i= is no number from 1 to 50' }
    : { instance, tags, text: value };
}

/** `i=1; authserv-id; …` (RFC 8617 §4.1.1). */
function readResults(value: string): { instance: number; tags: Tags; text: string } | { problem: string } {
  const semicolon = value.indexOf(';');
  const [, digits] = /^[ \t]*i[ \t]*=([^;]*)$/.exec(value.slice(0, Math.max(0, semicolon))) ?? [];
  const instance = readInstance(digits === undefined ? undefined : trim(digits));
  if (instance === undefined) return { problem: 'it does not begin with i= and a number from 1 to 50' };
  return { instance, tags: new Map(), text: trim(value.slice(semicolon + 1)) };
}

function readInstance(text = ''): number | undefined {
  const instance = /^\d{1,2}$/.test(text) ? Number(text) : 0;
  return instance >= 1 && instance <= arcLimits.sets ? instance : undefined;
}

function readSet(byName: Instances['byName'], instance: number): ArcSet | { problem: string } {
  const [results, messageSignature, seal] = names.map((name) => byName[name].get(instance));
  if (!results || !messageSignature || !seal) {
    const missing = names.find((name) => !byName[name].has(instance));
    return { problem: `${missing} is missing` };
  }
  // ARC's drafts and its suite read a missing c= as relaxed, and nobody who seals leaves it out (RFC 8617 §4.1.2 is silent).
  const message = readMessageSignature(messageSignature.tags, 'relaxed');
  if ('problem' in message) return { problem: `arc-message-signature: ${message.problem}` };
  if (message.names.includes('arc-seal')) return { problem: 'arc-message-signature: h= names arc-seal' };
  const sealing = readSignature(seal.tags);
  if ('problem' in sealing) return { problem: `arc-seal: ${sealing.problem}` };
  if (seal.tags.has('h')) return { problem: 'arc-seal: h= must not be there' };
  const cv = readValidation(seal.tags.get('cv'), instance);
  if (typeof cv !== 'string') return cv;
  return {
    instance,
    results: results.field,
    messageSignature: messageSignature.field,
    seal: seal.field,
    cv,
    resultsText: results.text,
    signatures: { message, seal: sealing },
  };
}

/** The first has nothing before it; all others must have found what is before them in order (step 3c). */
function readValidation(text: string | undefined, instance: number): ChainValidation | { problem: string } {
  const wanted = instance === 1 ? 'none' : 'pass';
  return text === wanted ? wanted : { problem: `arc-seal: cv= is not ${wanted}` };
}

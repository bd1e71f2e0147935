/**
 * Cuts a header down to what its DKIM signatures need: the signatures that are worth checking and the fields they
 * sign. What a hostile message can make the verifier do is bounded here, by named limits; nothing is verified.
 * RFC 6376 §3.5, §5.4.2, §6.1.
 */

import type { HeaderField } from '../mail/header.ts';
import { longestFrom } from './author.ts';

/** What a signature may demand; one that wants more is not checked. All generous against real mail. */
export const dkimLimits = {
  /** Signatures that are checked, from the top: the latest are there. */
  signatures: 10,
  /** Octets of one DKIM-Signature field. */
  signatureOctets: 16 * 1024,
  /** White space in a row in it, as the verifier's time grows with the square of that. */
  whiteSpace: 256,
  /** Names in `h=`. */
  signedNames: 500,
  /** Octets and lines of all the fields that the signatures need. */
  signedOctets: 256 * 1024,
  signedLines: 10_000,
} as const;

export interface SignedHeader {
  /** The header to verify, with its empty line; undefined where there is nothing to check. */
  header?: Buffer;
  /** The number of signatures left out, and why the first of them was. */
  skipped?: { signatures: number; reason: string };
}

/** Selects from the fields of a message. */
export function selectSigned(fields: readonly HeaderField[]): SignedHeader {
  const signatures = fields.filter(({ name }) => name === 'dkim-signature');
  if (signatures.length === 0) return {};
  const checks = signatures.map((field, index) => ({ field, problem: findProblem(field, index) }));
  const accepted = checks.filter(({ problem }) => problem === undefined).map(({ field }) => field);
  const refused = checks.filter(({ problem }) => problem !== undefined);
  const skipped = refused[0]?.problem && { signatures: refused.length, reason: refused[0].problem };
  if (accepted.length === 0) return skipped ? { skipped } : {};

  if (fields.some(({ name, raw }) => name === 'from' && raw.length > longestFrom))
    return { skipped: { signatures: signatures.length, reason: 'the From field is too long' } };
  const header = joinFields(fields, new Set([...accepted, ...wantedFields(fields, accepted)]));
  const problem = sizeProblem(header);
  if (problem !== undefined) return { skipped: { signatures: signatures.length, reason: problem } };
  return skipped ? { header, skipped } : { header };
}

function findProblem({ raw }: HeaderField, index: number): string | undefined {
  if (index >= dkimLimits.signatures) return `only ${dkimLimits.signatures} signatures are checked`;
  if (raw.length > dkimLimits.signatureOctets) return 'the signature field is too long';
  const text = raw.toString('latin1');
  if (longWhiteSpace.test(text)) return 'the signature field has too much white space';
  if (signedNames(text).length > dkimLimits.signedNames) return 'the signature names too many fields';
  return undefined;
}

const longWhiteSpace = new RegExp(`\\s{${dkimLimits.whiteSpace}}`);

/** The names of `h=`, lower-case, with their repetitions. Reads tags as RFC 6376 §3.2 does: split at semicolons. */
function signedNames(field: string): string[] {
  const tags = field.slice(field.indexOf(':') + 1).split(';');
  const list = tags.map((tag) => tag.trim()).find((tag) => /^h\s*=/.test(tag)) ?? '';
  return list
    .slice(list.indexOf('=') + 1)
    .split(':')
    .map((name) => name.trim().toLowerCase());
}

/** Of each name, the last fields, as many as the most demanding signature wants: signing counts from the bottom. */
function wantedFields(fields: readonly HeaderField[], signatures: readonly HeaderField[]): HeaderField[] {
  const wanted = new Map<string, number>();
  for (const { raw } of signatures) {
    const byName = Map.groupBy(signedNames(raw.toString('latin1')), (name) => name);
    for (const [name, { length }] of byName) wanted.set(name, Math.max(length, wanted.get(name) ?? 0));
  }
  // Signatures that sign other signatures see those that are checked; one left out must not come back this way.
  wanted.delete('dkim-signature');
  const present = Map.groupBy(fields, ({ name }) => name);
  return [...wanted].flatMap(([name, count]) => (name === '' ? [] : (present.get(name) ?? []).slice(-count)));
}

/** A line that is no field stays with the field above it: it can spoil a signature, never save one. */
function joinFields(fields: readonly HeaderField[], selected: ReadonlySet<HeaderField>): Buffer {
  const parts: Buffer[] = [];
  let keeping = false;
  for (const field of fields) {
    if (field.name !== '') keeping = selected.has(field);
    if (keeping) parts.push(field.raw);
  }
  const last = parts.at(-1);
  if (last !== undefined && last.at(-1) !== 0x0a) parts.push(Buffer.from('\r\n'));
  return Buffer.concat([...parts, Buffer.from('\r\n')]);
}

function sizeProblem(header: Buffer): string | undefined {
  if (header.length > dkimLimits.signedOctets) return 'the signed header fields are too long';
  let lines = 0;
  for (let at = header.indexOf(0x0a); at >= 0; at = header.indexOf(0x0a, at + 1)) lines++;
  return lines > dkimLimits.signedLines ? 'the signed header fields have too many lines' : undefined;
}

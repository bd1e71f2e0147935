/**
 * The header fields that a signature covers, in its canonical form and its order. What a hostile message can make this
 * do is bounded by named limits. RFC 6376 §3.5 (`h=`), §3.7, §5.4.2.
 */

import type { HeaderField } from '../mail/header.ts';
import type { Canonicalization } from './canonical-body.ts';
import { canonicalField, withoutSignature } from './canonical-header.ts';

/** What a signature may demand; one that wants more is not checked. All generous against real mail. */
export const signatureLimits = {
  /** Signatures that are checked, from the top: the latest are there. */
  signatures: 10,
  /** Octets of one signature field. */
  signatureOctets: 16 * 1024,
  /** Names in `h=`. */
  signedNames: 500,
  /** Octets of all the fields that one signature covers. */
  signedOctets: 256 * 1024,
} as const;

interface Covering {
  names: readonly string[];
  canonicalization: { header: Canonicalization };
}

/** The header of one message, for all of its signatures. */
export class SignedHeader {
  readonly #fields: readonly HeaderField[];
  /** By name; made for the first signature, as not every message has one. */
  #present: ReadonlyMap<string, readonly HeaderField[]> | undefined;
  readonly #relaxed = new Map<HeaderField, string>();

  constructor(fields: readonly HeaderField[]) {
    this.#fields = fields;
  }

  /** What the signature in `own` covers; where it is too much, in words why. */
  covered(own: HeaderField, { names, canonicalization: { header } }: Covering): Buffer | string {
    if (names.length > signatureLimits.signedNames) return 'the signature names too many fields';
    const selected = this.#select(own, names);
    const octets = selected.reduce((sum, { raw }) => sum + raw.length, 0);
    if (octets > signatureLimits.signedOctets) return 'the signed header fields are too long';
    const signed = selected.map((field) => this.#canonical(field, header));
    const unsigned = canonicalField(withoutSignature(own.raw), header);
    return Buffer.from([...signed, unsigned].join('\r\n'), 'latin1');
  }

  /** A name that is repeated stands for the fields of it from the last one up; one too many stands for none. */
  #select(own: HeaderField, names: readonly string[]): HeaderField[] {
    this.#present ??= Map.groupBy(joinStrayLines(this.#fields), ({ name }) => name);
    const present = this.#present;
    const next = new Map<string, number>();
    return names.flatMap((name) => {
      const fields = name === '' ? [] : (present.get(name) ?? []);
      let at = next.get(name) ?? fields.length - 1;
      if (fields[at]?.raw === own.raw) at--; // it did not stand there yet when it was made
      next.set(name, at - 1);
      return fields[at] ?? [];
    });
  }

  #canonical(field: HeaderField, canonicalization: Canonicalization): string {
    if (canonicalization === 'simple') return canonicalField(field.raw, 'simple');
    const known = this.#relaxed.get(field);
    if (known !== undefined) return known;
    const text = canonicalField(field.raw, 'relaxed');
    this.#relaxed.set(field, text);
    return text;
  }
}

/** A line that is no field belongs to the field above it: it can spoil a signature, never save one. */
function joinStrayLines(fields: readonly HeaderField[]): readonly HeaderField[] {
  if (fields.every(({ name }) => name !== '')) return fields;
  const joined: HeaderField[] = [];
  for (const field of fields) {
    const above = joined.at(-1);
    if (field.name !== '') joined.push(field);
    else if (above) joined[joined.length - 1] = { ...above, raw: Buffer.concat([above.raw, field.raw]) };
  }
  return joined;
}

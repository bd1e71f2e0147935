/**
 * Public keys as DKIM and ARC find them in DNS: `selector._domainkey.domain`. What a record says is read once for as long
 * as the resolver keeps the answer. It knows no message. RFC 6376 §3.6, RFC 8301 §3.2 (key sizes), RFC 8463 §4.
 */

import { createPublicKey, type KeyObject } from 'node:crypto';
import { isAskableName } from '../dns/name.ts';
import type { LookUps } from './look-ups.ts';
import { listOf, readTags, withoutSpace } from './tag-list.ts';

export interface PublicKey {
  key: KeyObject;
  type: 'rsa' | 'ed25519';
  bits: number;
  /** `t=y`: the domain is testing. */
  testing: boolean;
  /** `t=s`: `i=` must be of the signing domain itself. */
  strictIdentity: boolean;
}

/** `text` is what the record says, cut to a length that can be shown. */
export type KeyReading =
  | { status: 'usable'; key: PublicKey; text: string }
  /** `isWeak`: a good record with a key that is too small to prove anything. */
  | { status: 'unusable'; problem: string; isWeak?: true; text: string };

export type FoundKey =
  | KeyReading
  | { status: 'absent'; problem: string }
  | { status: 'failed'; detail: string };

export type KeyFinder = (selector: string, domain: string) => Promise<FoundKey>;

/** Sizes of RSA keys that are believed: smaller ones can be broken (RFC 8301 §3.2), larger ones take long. */
const rsaBits = { least: 1024, most: 8192 } as const;
/** Records under one name that are looked at for a key; there should be one (RFC 6376 §3.6.2.2). */
const mostRecords = 4;
/** Octets of a record that are read; a key of the greatest size takes 1,500. */
const longestRecord = 8 * 1024;
export const shownOctets = 300;
/** Octets of `p=` that are shown: those by which keys of one size differ begin after 44. */
const shownKeyOctets = 64;

/** Finds keys for one message, each name asked for once. */
export function keyFinder(lookUps: LookUps): KeyFinder {
  const asked = new Map<string, Promise<FoundKey>>();
  return (selector, domain) => {
    const name = `${selector}._domainkey.${domain}`.toLowerCase();
    const found = asked.get(name) ?? findKey(lookUps, name);
    asked.set(name, found);
    return found;
  };
}

async function findKey(lookUps: LookUps, name: string): Promise<FoundKey> {
  if (!isAskableName(name)) return { status: 'absent', problem: 'no key can have this name' };
  const answer = await lookUps.ask(name, 'TXT');
  if (answer.status === 'failed') return answer;
  if (answer.status === 'none') return { status: 'absent', problem: `there is no key at ${name}` };
  return readOnce(answer.records);
}

/** By the answer's own records: a resolver that keeps an answer gives the same ones again. */
const readings = new WeakMap<object, KeyReading>();

function readOnce(records: readonly string[][]): KeyReading {
  const known = readings.get(records);
  if (known) return known;
  const all = records.slice(0, mostRecords).map((strings) => readKeyRecord(strings.join('')));
  const reading = all.find(({ status }) => status === 'usable') ?? all[0] ?? unusable('', 'it is empty');
  readings.set(records, reading);
  return reading;
}

/** What one TXT record says (RFC 6376 §3.6.1, §6.1.2). */
export function readKeyRecord(record: string): KeyReading {
  if (record.length > longestRecord) return unusable(record, 'the key record is too long');
  const { tags, problem } = readTags(record);
  if (!tags) return unusable(record, `the key record cannot be read: ${problem}`);
  const refused = findRefusal(tags);
  if (refused !== undefined) return unusable(record, refused);
  const type = tags.get('k') ?? 'rsa';
  if (type !== 'rsa' && type !== 'ed25519')
    return unusable(record, `the key is of an unknown type, "${type.slice(0, 20)}"`);
  const key = readKey(type, withoutSpace(tags.get('p') ?? ''));
  if (!key) return unusable(record, 'the key in the record cannot be read');
  const bits = type === 'ed25519' ? 256 : (key.asymmetricKeyDetails?.modulusLength ?? 0);
  const weakness = type === 'rsa' ? findSizeProblem(bits) : undefined;
  if (weakness) return { ...unusable(record, weakness), isWeak: true };
  const flags = listOf(tags.get('t') ?? '');
  return {
    status: 'usable',
    key: { key, type, bits, testing: flags.includes('y'), strictIdentity: flags.includes('s') },
    text: shownKey(record),
  };
}

/** Why a record that is well formed is of no use for mail. */
function findRefusal(tags: ReadonlyMap<string, string>): string | undefined {
  const [first] = tags.keys();
  if (tags.has('v') && (first !== 'v' || tags.get('v') !== 'DKIM1')) return 'the key record is not of DKIM1';
  if (tags.get('p') === undefined) return 'the key record has no p=';
  if (tags.get('p') === '') return 'the key has been revoked (p= is empty)';
  const hashes = tags.get('h');
  if (hashes !== undefined && !listOf(hashes.toLowerCase()).includes('sha256'))
    return 'the key is not for sha256 (h=)';
  const services = listOf(tags.get('s') ?? '*');
  if (!services.includes('*') && !services.includes('email')) return 'the key is not for mail (s=)';
  return undefined;
}

function findSizeProblem(bits: number): string | undefined {
  if (bits < rsaBits.least)
    return `the key has ${bits} bits, fewer than ${rsaBits.least} prove nothing (RFC 8301)`;
  return bits > rsaBits.most
    ? `the key has ${bits} bits, more than ${rsaBits.most} are not checked`
    : undefined;
}

/** RSA as SubjectPublicKeyInfo, as everybody publishes it, or bare as RFC 6376 says; Ed25519 as its 32 octets. */
function readKey(type: 'rsa' | 'ed25519', base64: string): KeyObject | undefined {
  if (!isBase64(base64)) return undefined;
  const data = Buffer.from(base64, 'base64');
  if (type === 'ed25519') return data.length === 32 ? ed25519Key(data) : undefined;
  const key = derKey(data, 'spki') ?? derKey(data, 'pkcs1');
  return key?.asymmetricKeyType === 'rsa' ? key : undefined;
}

function derKey(key: Buffer, type: 'spki' | 'pkcs1'): KeyObject | undefined {
  try {
    return createPublicKey({ key, type, format: 'der' });
  } catch {
    return undefined; // what a stranger publishes need not be a key
  }
}

function ed25519Key(data: Buffer): KeyObject {
  return createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: data.toString('base64url') },
    format: 'jwk',
  });
}

/** With or without its padding. */
export const isBase64 = (text: string): boolean => /^[A-Za-z0-9+/]+={0,2}$/.test(text);

function unusable(record: string, problem: string): KeyReading & { status: 'unusable' } {
  return { status: 'unusable', problem, text: shownKey(record) };
}

/** With the beginning of its key, which is enough to tell it from others. */
const shownKey = (record: string): string =>
  shownText(record.replace(longKey, (key) => `${key.slice(0, shownKeyOctets)}...`));

const longKey = new RegExp(`p=[^;]{${shownKeyOctets},}`);

/** A record in one line of harmless text, bounded. */
export function shownText(record: string): string {
  const line = record.replace(/[^\x20-\x7e]/g, '?');
  return line.length > shownOctets ? `${line.slice(0, shownOctets)}...` : line;
}

/**
 * The Sender Rewriting Scheme: mail that is passed on gets a reverse-path of ours, so that SPF holds for it (RFC 7208 §2.4
 * looks at the reverse-path), and a bounce finds back to its sender: `SRS0=hash=day=domain=local-part`, and
 * `SRS1=hash=domain==…` of what another forwarder has rewritten. Nobody can make one who does not know the secret, so it
 * is no open relay. There is no RFC; the form is that of the scheme's paper (Wong, 2004), which all implementations read.
 *
 * Compared without regard to case: somebody on the way may have changed it.
 */

import { createHmac, timingSafeEqual } from 'node:crypto';
import { type Address, parseAddress, parseDomain } from './address.ts';

/** Characters of the HMAC, five bits each: to hit one by chance takes 2^40 RCPTs. */
const hashLength = 8;
/** A bounce comes within days; retries go on for five or so. */
export const maxDays = 21;
const dayMs = 24 * 3600_000;
/** Days are counted modulo this: two characters. */
const dayCycle = 1024;
/** RFC 5321 §4.5.3.1.1. */
const maxLocalPartOctets = 64;

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/** A local part that can only be one of these, be it valid or not. */
export const isRewritten = (localPart: string): boolean => /^srs[01][-+=]/i.test(localPart);

export interface RewriteOptions {
  secret: Buffer;
  /** Of ours, A-labels. */
  domain: string;
  /** Milliseconds since the epoch. */
  now: number;
}

/** The reverse-path for what `sender` wrote; undefined where that would be longer than an address may be. */
export function rewrite(sender: Address, { secret, domain, now }: RewriteOptions): Address | undefined {
  const localPart = rewritten(sender, secret, dayOf(now));
  return Buffer.byteLength(localPart) > maxLocalPartOctets ? undefined : { localPart, domain };
}

function rewritten({ localPart, domain }: Address, secret: Buffer, day: string): string {
  const again = /^srs([01])([-+=].*)$/is.exec(localPart);
  // SRS0 of another forwarder: a bounce is to go to that one, past everybody between.
  if (again?.[1] === '0') return srs1(secret, `${domain}=${again[2]}`);
  const [, passedOn, by] = /^[-+=][^=]*=(([^=]+)=[-+=].*)$/s.exec(again?.[2] ?? '') ?? [];
  // One that names nobody to go back to is a sender like any other.
  if (passedOn !== undefined && by !== undefined && parseDomain(by)) return srs1(secret, passedOn);
  const told = `${day}=${domain}=${localPart}`;
  return `SRS0=${hashOf(secret, '0', told)}=${told}`;
}

const srs1 = (secret: Buffer, told: string): string => `SRS1=${hashOf(secret, '1', told)}=${told}`;

export type Reversal =
  | { kind: 'valid'; sender: Address }
  /** Not made with any of these secrets, or not by us at all. */
  | { kind: 'forged' }
  | { kind: 'expired' };

/** Whom a bounce to this local part is for; the secrets are tried in turn. */
export function reverse(
  localPart: string,
  { secrets, now }: { secrets: readonly Buffer[]; now: number },
): Reversal {
  const [, version, hash = '', told = ''] = /^srs([01])[-+=]([^=]*)=(.*)$/is.exec(localPart) ?? [];
  if (version === undefined || !secrets.some((secret) => isHashOf(secret, { version, told }, hash)))
    return { kind: 'forged' };
  return version === '0' ? reverse0(told, now) : reverse1(told);
}

function reverse0(told: string, now: number): Reversal {
  const [, day = '', domain = '', local = ''] = /^([^=]*)=([^=]*)=(.*)$/s.exec(told) ?? [];
  const age = ageOf(day, now);
  const sender = addressOf(local, domain);
  if (age === undefined || sender === undefined) return { kind: 'forged' };
  return age > maxDays ? { kind: 'expired' } : { kind: 'valid', sender };
}

/** `domain=` and the other's local part without its `SRS0`. Whether that is still good, the other knows. */
function reverse1(told: string): Reversal {
  const [, domain = '', local = ''] = /^([^=]*)=([-+=].*)$/s.exec(told) ?? [];
  const sender = addressOf(`SRS0${local}`, domain);
  return sender === undefined ? { kind: 'forged' } : { kind: 'valid', sender };
}

function addressOf(localPart: string, domain: string): Address | undefined {
  const quoted = `"${localPart.replace(/["\\]/g, '\\$&')}"@${domain}`;
  return parseAddress(quoted);
}

/** `version`: what is told in an SRS1 is the sender's own words, and must not be read as an SRS0's. */
function hashOf(secret: Buffer, version: string, told: string): string {
  const text = `${version}=${told.toLowerCase().normalize('NFC')}`;
  const digest = createHmac('sha256', secret).update(text).digest();
  return Array.from({ length: hashLength }, (_, index) => alphabet[(digest[index] ?? 0) % 32]).join('');
}

function isHashOf(secret: Buffer, made: { version: string; told: string }, hash: string): boolean {
  const { version, told } = made;
  const [expected, found] = [Buffer.from(hashOf(secret, version, told)), Buffer.from(hash.toLowerCase())];
  return expected.length === found.length && timingSafeEqual(expected, found);
}

function dayOf(now: number): string {
  const day = Math.floor(now / dayMs) % dayCycle;
  return `${alphabet[day >> 5]}${alphabet[day & 31]}`;
}

/** Days since then; a clock that was put back makes it young, not old. */
function ageOf(day: string, now: number): number | undefined {
  const [high, low] = [...day.toLowerCase()].map((each) => alphabet.indexOf(each));
  if (day.length !== 2 || high === undefined || low === undefined || high < 0 || low < 0) return undefined;
  const age = (Math.floor(now / dayMs) - (high * 32 + low)) % dayCycle;
  const positive = (age + dayCycle) % dayCycle;
  return positive > dayCycle - maxDays ? 0 : positive;
}

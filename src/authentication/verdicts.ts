/**
 * What the sender checks found out about one message: facts, as plain data that can be stored and shown later. No
 * judgement (policy/) and no wire text (results.ts). RFC 8601 §2.7 for the result words.
 */

export type SpfResult = 'pass' | 'fail' | 'softfail' | 'neutral' | 'none' | 'temperror' | 'permerror';
export type DkimResult = 'pass' | 'fail' | 'neutral' | 'policy' | 'temperror' | 'permerror';
export type DmarcResult = 'pass' | 'fail' | 'none' | 'temperror' | 'permerror';
export type IprevResult = 'pass' | 'fail' | 'temperror' | 'permerror';
export type ArcResult = 'none' | 'pass' | 'fail' | 'temperror';
export type DmarcPolicy = 'none' | 'quarantine' | 'reject';
export type AlignmentMode = 'relaxed' | 'strict';

export interface Verdicts {
  /** Of this shape; raised when stored verdicts could no longer be read. */
  version: 1;
  client: { address: string; helo: string };
  spf: SpfVerdict;
  /**
   * Of the name in HELO (RFC 7208 §2.3); absent where `spf` is about it, where both name the same domain, and where it is no name
   * that can have a record.
   */
  spfHelo?: SpfVerdict;
  /** In the order of the message, the latest signature first; empty where it is not signed. */
  dkim: readonly DkimVerdict[];
  dmarc: DmarcVerdict;
  iprev: IprevVerdict;
  /** Absent in verdicts that were stored before there was ARC. */
  arc?: ArcVerdict;
  /** DNS questions that were asked. */
  lookUps: number;
  durationMs: number;
}

export interface SpfVerdict {
  result: SpfResult;
  /** The domain that was checked, lower-case A-labels; '' where there was none to check. */
  domain: string;
  /** `helo` for a null reverse-path (RFC 7208 §2.4). */
  scope: 'mailfrom' | 'helo';
  /** The mechanism that matched; where others led to it, these first: `include:a.example, there ip4:192.0.2.0/24`. */
  mechanism?: string;
  /** The text of the record that decided, cut where it is long, and the domain that published it. */
  record?: string;
  recordDomain?: string;
  /** Of a failure, in the words of the domain that was checked (RFC 7208 §6.2), cut where they are long: nobody has checked them. */
  explanation?: string;
  reason: string;
}

export interface DkimVerdict {
  /** `policy` without a domain: signatures that our limits left unchecked. */
  result: DkimResult;
  /** `d=`, lower-case; '' where it could not be read. */
  domain: string;
  /** `s=`. */
  selector: string;
  /** `a=`, e.g. `rsa-sha256`. */
  algorithm: string;
  /** Size of the public key; absent where it was not looked up. */
  keyBits?: number;
  /** What the TXT record with the key says, cut where it is long; absent where there is none. */
  keyRecord?: string;
  /** Octets at the end of the body that a passing signature with `l=` leaves out. */
  unsignedOctets?: number;
  /** The first eight characters of `b=`, which tell signatures apart (RFC 6008). */
  signature: string;
  /** It passes, and DMARC found its domain aligned with the author's. */
  aligned: boolean;
  reason: string;
}

export interface DmarcVerdict {
  result: DmarcResult;
  /** The author domain (RFC 9989 §3.2.2), that of From; '' where there is not exactly one. */
  domain: string;
  /** The author's organizational domain, where the tree walk found it. */
  organizationalDomain?: string;
  /** Where the record that applies was published. */
  policyDomain?: string;
  /** What that record says; `sp` where it differs from `p`. */
  published?: { p: DmarcPolicy; sp?: DmarcPolicy; np?: DmarcPolicy; testing: boolean };
  /** Policies that may apply: none without a record, one normally, more while a failed look-up leaves it open. */
  policies: readonly DmarcPolicy[];
  alignment?: { spf: AlignmentMode; dkim: AlignmentMode };
  /** Which mechanism passed for an aligned domain. */
  aligned: { spf: boolean; dkim: boolean };
  /** The text of the record that applies, at `policyDomain`; cut where it is long. */
  record?: string;
  /** The domains whose records were asked for, from the author's upwards (RFC 9989 §4.10). */
  asked?: readonly string[];
  reason: string;
}

export interface IprevVerdict {
  result: IprevResult;
  /** The name that leads back to the address, or the first that does not; '' where there is none. */
  name: string;
  /** All names of the address that were looked at, where it has any. */
  names?: readonly string[];
  reason: string;
}

/** The chain of those who handled the message before and vouch for what they found (RFC 8617). */
export interface ArcVerdict {
  result: ArcResult;
  /** The number of the last set. */
  instances?: number;
  /** The last set says itself that the chain was broken (`cv=fail`), so that it is not to be sealed any more. */
  markedFailed?: boolean;
  /** The lowest instance since which the message is unchanged; 0 where it was never changed. For a pass. */
  oldestPass?: number;
  /** The latest ten, the latest first; empty where they make no chain. */
  sets: readonly ArcSetVerdict[];
  /** Set where somebody whom the configuration trusts found that DMARC passed, and has vouched for the message since. */
  trusted?: ArcTrust;
  reason: string;
}

export interface ArcSetVerdict {
  instance: number;
  /** What it says of the sets before it. */
  cv: 'none' | 'pass' | 'fail';
  /** Over the ARC fields of it and of all sets before it. */
  seal: ArcSignatureVerdict;
  /** Over the message, as it was then. */
  messageSignature: ArcSignatureVerdict;
  /** The Authentication-Results that it carries, cut where they are long. */
  results: string;
}

export interface ArcSignatureVerdict {
  result: 'pass' | 'fail' | 'policy' | 'permerror' | 'temperror';
  domain: string;
  selector: string;
  algorithm: string;
  keyBits?: number;
  keyRecord?: string;
  reason: string;
}

export interface ArcTrust {
  /** Who sealed the results that are believed. */
  sealer: string;
  instance: number;
  /** The author domain for which DMARC passed there. */
  authorDomain: string;
  reason: string;
}

/**
 * What the sender checks found out about one message: facts, as plain data that can be stored and shown later. No
 * judgement (decide.ts) and no wire text (results.ts). RFC 8601 §2.7 for the result words.
 */

export type SpfResult = 'pass' | 'fail' | 'softfail' | 'neutral' | 'none' | 'temperror' | 'permerror';
export type DkimResult = 'pass' | 'fail' | 'neutral' | 'policy' | 'temperror' | 'permerror';
export type DmarcResult = 'pass' | 'fail' | 'none' | 'temperror' | 'permerror';
export type IprevResult = 'pass' | 'fail' | 'temperror' | 'permerror';
export type DmarcPolicy = 'none' | 'quarantine' | 'reject';
export type AlignmentMode = 'relaxed' | 'strict';

export interface Verdicts {
  /** Of this shape; raised when stored verdicts could no longer be read. */
  version: 1;
  client: { address: string; helo: string };
  spf: SpfVerdict;
  /** In the order of the message, the latest signature first; empty where it is not signed. */
  dkim: readonly DkimVerdict[];
  dmarc: DmarcVerdict;
  iprev: IprevVerdict;
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
  reason: string;
}

export interface IprevVerdict {
  result: IprevResult;
  /** The name that leads back to the address, or the first that does not; '' where there is none. */
  name: string;
  reason: string;
}

/**
 * How TLS to a receiver went in one session, in the words of a TLS report (RFC 8460 §4): what the one who sends mail
 * tells, and the collector counts. Says nothing about the message.
 */

/** RFC 8460 §4.3, and the registry of IANA that it opens ("STARTTLS Validation Result Types"). */
export type TlsFailureType =
  | 'starttls-not-supported'
  | 'certificate-host-mismatch'
  | 'certificate-expired'
  | 'certificate-not-trusted'
  | 'validation-failure'
  /** The answer of DNS to a TLSA question was bogus, or there was none. */
  | 'dnssec-invalid'
  | 'tlsa-invalid'
  | 'dane-required'
  | 'sts-policy-fetch-error'
  | 'sts-policy-invalid'
  | 'sts-webpki-invalid';

/** The policy under which the session was opened (RFC 8460 §4.2, §4.4). */
export interface ReportedPolicy {
  type: 'tlsa' | 'sts' | 'no-policy-found';
  /** Whose policy it is: the TLSA base domain for `tlsa`, else the domain of the recipients (RFC 8460 §1.1). */
  domain: string;
  /** The TLSA records, or the lines of the MTA-STS policy. Empty for `no-policy-found`. */
  strings: readonly string[];
  /** The patterns of the MTA-STS policy; else empty. */
  mxHosts: readonly string[];
}

/** Of one session: a connection that serves several messages is told once. */
export interface TlsResult {
  /** Milliseconds since the epoch. */
  at: number;
  /** The domain of the recipients, in A-labels; the record at `_smtp._tls.` below it says who wants to know. */
  domain: string;
  policy: ReportedPolicy;
  /** Absent where TLS came about as the policy wants it. A policy that is only tested fails, too, and mail goes on. */
  failure?: {
    type: TlsFailureType;
    /** What went wrong, for people: `failure-reason-code`. */
    reason?: string;
  };
  /** Absent where it did not come to a connection: a policy that could not be fetched, a failed TLSA look-up. */
  receiver?: { host: string; address: string };
  /** Our own address, where it is known. */
  sendingAddress?: string;
}

/** Called for each session, and for each policy that could not be had. Must neither throw nor wait. */
export type OnTlsResult = (result: TlsResult) => void;

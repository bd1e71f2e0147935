/**
 * A DMARC aggregate report (RFC 9990 §3.1.1; RFC 7489 Appendix C before it): who was seen to send as a domain, and what
 * became of it. As data that survives JSON; read from XML by read.ts, written by write.ts.
 */

export interface AggregateReport {
  /** Who reports, for people, and whom to ask. */
  organization: string;
  email: string;
  reportId: string;
  /** Of the period, in ms since the epoch. */
  beginsAt: number;
  endsAt: number;
  policy: PublishedPolicy;
  /** What went wrong with the policy's record. */
  errors: string[];
  records: AggregateRecord[];
  /** Records that were left out, as there were too many. */
  leftOut?: number;
}

export type PolicyWord = 'none' | 'quarantine' | 'reject';

/** As the reporter found it. */
export interface PublishedPolicy {
  /** A-labels: where the record is. */
  domain: string;
  p?: PolicyWord;
  sp?: PolicyWord;
  np?: PolicyWord;
  adkim?: 'r' | 's';
  aspf?: 'r' | 's';
  testing?: boolean;
}

/** Messages that have all of this in common. */
export interface AggregateRecord {
  /** The client's address, canonical. */
  source: string;
  count: number;
  /** `pass`: nothing was to be done, as it passes; `none`: nothing was done, whatever it is. */
  disposition: 'none' | 'pass' | 'quarantine' | 'reject';
  /** Passed for a domain that is aligned with the author's. */
  dkimAligned: boolean;
  spfAligned: boolean;
  /** Why the disposition is not what the policy asks for. */
  reasons: { type: string; comment?: string }[];
  headerFrom: string;
  /** Domains; '' is the null sender. */
  envelopeFrom?: string;
  envelopeTo?: string;
  dkim: { domain: string; selector?: string; result: string }[];
  spf: { domain: string; scope?: string; result: string }[];
}

/** Whether DMARC passes. */
export const passes = ({ dkimAligned, spfAligned }: AggregateRecord): boolean => dkimAligned || spfAligned;

/** What a DNS record is that this server wants to see published, and what must be known to say which. Plain data. */

import type { UnusableFile } from './unusable-file.ts';

export type RecordPurpose =
  | 'mx'
  | 'address'
  | 'spf'
  | 'dkim'
  | 'dmarc'
  | 'mta-sts'
  | 'tls-rpt'
  | 'dane'
  | 'caa'
  | 'client-srv'
  | 'ptr'
  | 'autoconfig'
  | 'report-authorization';

export interface WantedRecord {
  /** The zone that it belongs into: one of our domains, else the domain around the name; of a PTR, its reverse name. */
  domain: string;
  /** Fully qualified, without the final dot, in A-labels. */
  name: string;
  type: 'MX' | 'A' | 'AAAA' | 'TXT' | 'CNAME' | 'TLSA' | 'CAA' | 'SRV' | 'PTR';
  /** Presentation form (RFC 1035 §5.1), names with their final dot; a TXT is its whole text, without quotes. */
  data: string;
  purpose: RecordPurpose;
  need: 'required' | 'recommended' | 'optional';
  /** For people: what it is good for, and what comes without it. */
  why: string;
  /** `provider`: whoever gives the address enters it, as a rule the hosting provider. */
  where: 'zone' | 'provider';
  /** What must be first: until then the record is not to be published, and that it is absent is no fault. */
  notYet?: string;
}

/** An address that mail leaves from, as receivers see it. */
export interface SendingAddress {
  address: string;
  ehloName: string;
  /** Addresses and domains whose mail it sends; empty: everybody's who has no other. */
  senders: readonly string[];
}

export interface DomainFacts {
  /** A-labels, lower-case. */
  name: string;
  /** `record`: the text of its TXT record. */
  dkim: readonly { selector: string; type: 'rsa' | 'ed25519'; record: string }[];
  /** Hosts by which its mail leaves instead of directly. */
  relays: readonly string[];
  /** The MTA-STS policy which is, or would be, served; absent: there is none. */
  sts?: {
    policyId: string;
    mode: 'testing' | 'enforce' | 'none';
    /** Of which certificate senders would not believe it, and what to do: words for people. */
    lack?: string;
  };
}

export type ClientService = 'submissions' | 'submission' | 'pop3s' | 'pop3' | 'imaps' | 'imap';

export type WebService = 'mta-sts' | 'autoconfig' | 'autodiscover';

/** All that `wantedRecords()` must know. */
export interface RecordFacts {
  hostname: string;
  domains: readonly DomainFacts[];
  /** At which the hostname takes mail, as the world sees them. */
  addresses: readonly string[];
  sending: readonly SendingAddress[];
  /** Addresses of ours at which reports are read besides postmaster@ each domain. */
  reportMailboxes: readonly string[];
  /** SHA-256, in hexadecimal, of the SubjectPublicKeyInfo of the keys that the hostname's certificates have and will have. */
  tlsKeys: readonly { sha256: string; role: 'current' | 'next' }[];
  /** Whether the hostname's zone is signed; absent: not known. */
  isSigned?: boolean;
  /** Where certificates come from by ACME. `issuers`: CAA identities, such as `letsencrypt.org`. */
  acme?: {
    issuers: readonly string[];
    accountUri?: string;
    methods: readonly string[];
    /** One of its names for each certificate that is asked for; `isOptional`: once DNS leads it here. Default: our own name. */
    certificates?: readonly { name: string; isOptional: boolean }[];
  };
  /** What mail programs may connect to, by its port. */
  clients: Partial<Record<ClientService, number>>;
  /** What the web listener serves. */
  web: readonly WebService[];
  /** Of which nothing is known, so that what depends on them is not among the records. */
  unusable: readonly UnusableFile[];
}

/**
 * What is known of one message when it is judged: plain data, as it is stored in the dossier and read again by
 * `posthorn policy replay`. Never a judgement, never a body. Every part may be absent: it was not looked for, or it was
 * written by a version that did not know it. Each says in words which input it rests on.
 */

import type {
  ArcVerdict,
  DkimVerdict,
  DmarcVerdict,
  IprevVerdict,
  SpfVerdict,
} from '../authentication/verdicts.ts';
import type { FilterFact } from '../filter/fact.ts';

/** Of the message and its client; the same for all of its recipients. */
export interface Facts {
  /** Of this shape; raised when stored facts could no longer be read. */
  version: 1;
  client: { address: string; helo: string };
  /** '' is the null sender. */
  reversePath: string;
  /** The addresses in From, lower-case; there once the header has come. */
  authors?: readonly string[];
  sizeBytes?: number;
  spf?: SpfVerdict;
  /** Of the name in HELO, where that is another domain; no condition asks for it. */
  spfHelo?: SpfVerdict;
  /** Empty: not signed. */
  dkim?: readonly DkimVerdict[];
  dmarc?: DmarcVerdict;
  arc?: ArcVerdict;
  iprev?: IprevVerdict;
  /** What each filter said (milters, rspamd, clamd); empty: there are none. */
  filters?: readonly FilterFact[];
  /** How the client has introduced itself. */
  helo?: HeloFact;
  /** The domain of the reverse-path. */
  senderDomain?: SenderDomainFact;
  /** Whether the client talked before it was greeted. */
  earlyTalker?: { talked: boolean; why: string };
  /** What the DNS lists that a policy names say of the client's address, by their zones. */
  dnsbl?: Readonly<Record<string, ListFact>>;
  /** … and of the domain of the reverse-path. */
  rhsbl?: Readonly<Record<string, ListFact>>;
  /** What has come from the client's network so far. */
  networkHistory?: HistoryFact;
  /** … and from the domain that is proven to have sent it; without a name where none is. */
  domainHistory?: HistoryFact;
  /** What it has attached: names and types, nothing of what is in them. */
  attachments?: AttachmentsFact;
  /** Whether it reports on mail that we have not sent. */
  report?: { unasked: boolean; why: string };
}

export interface HeloFact {
  /** `ours`: a name or an address of ours, or an address of somebody else's. `missing`: DNS does not know the name. */
  result: 'good' | 'ours' | 'malformed' | 'missing' | 'temperror';
  why: string;
}

export interface SenderDomainFact {
  /** `none`: there is no domain to look for. `null-mx`: it takes no mail (RFC 7505). */
  result: 'exists' | 'missing' | 'null-mx' | 'none' | 'temperror';
  domain: string;
  why: string;
}

export interface ListFact {
  /** `unknown`: the list does not answer us as it should. */
  result: 'listed' | 'free' | 'unknown';
  /** Of an entry: addresses in 127.0.0.0/8. */
  codes: readonly string[];
  why: string;
}

export interface AttachmentsFact {
  /** The first ones; those in a zip archive behind its name and a slash. */
  names: readonly string[];
  /** What all names end in, and the content types of all parts, lower-case. */
  extensions: readonly string[];
  types: readonly string[];
  /** What was not looked at, in words. */
  cut?: string;
}

/** What differs from recipient to recipient. */
export interface RecipientFacts {
  /** The mailbox, or the address elsewhere that it goes on to. */
  recipient: string;
  greylist?: GreylistFact;
  acquaintance?: AcquaintanceFact;
}

/** Whether the recipient knows the sender, as far as that one is proven. */
export interface AcquaintanceFact {
  /** Mail of that address has been let into the Inbox before, or the recipient has written to it. */
  address: boolean;
  /** … of that domain. */
  domain: boolean;
  /** Somebody here has had mail of that domain. */
  server: boolean;
  why: string;
}

/** What became of earlier mail; what is long ago counts less. */
export interface HistoryFact {
  /** '' of nobody. */
  name: string;
  accepted: number;
  junk: number;
  refused: number;
  /** Recipients asked for that nobody is here. */
  unknown: number;
  /** Messages and recipients refused in the last hour, about. */
  lastHour: number;
  /** ms since the epoch; absent: it was never seen before. */
  firstAt?: number;
}

export interface GreylistFact {
  /** It has waited, or need not. */
  passed: boolean;
  why: string;
  /** How much longer it should wait, in seconds; where it has not passed. */
  waitSeconds?: number;
}

export type FactName = Exclude<keyof Facts, 'version'> | Exclude<keyof RecipientFacts, 'recipient'>;

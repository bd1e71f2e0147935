/**
 * The vocabulary of a dossier: what can happen to a message, as data. Events are written where the thing happens and
 * only ever appended; the timeline, the explanation and the metrics are folds over them. No bodies, no secrets.
 */

import type { FilterFact } from '../filter/fact.ts';
import type { Facts, RecipientFacts } from '../policy/facts.ts';
import type { DialogueLine } from '../util/dialogue.ts';

export type { DialogueLine };

export interface TlsFacts {
  version: string;
  cipher: string;
  /** An earlier session was taken up again: what is said of the certificate is from its beginning. */
  resumed?: true;
  /** Of the peer's certificate, where we were the client: `verified`, or why it is not. */
  certificate?: string;
}

/**
 * Under which policy a host was spoken to (RFC 7672, RFC 8461), where there was one; `verified`, `required` and `none` are
 * also what a transport asks for.
 */
export interface TlsPolicyFacts {
  kind: 'dane' | 'encrypted' | 'sts' | 'sts-testing' | 'verified' | 'required' | 'none';
  /** What the policy follows from, in words: TLSA records, the id of a policy. */
  evidence: string;
  /** What TLS lacked; absent where it was as the policy wants it, or where it did not come to that. */
  fault?: string;
}

export interface Endpoint {
  host: string;
  /** Of IP, or the path of a Unix socket, which has port 0 and is its own host. */
  address: string;
  port: number;
  /** TLS comes first, before the greeting (RFC 8314 §3.3). */
  implicitTls?: true;
  /** Our own address. Before a connection stands: the one to take, instead of leaving that to the system. */
  source?: string;
}

/** The user of the machine who gave the order, and why, in words of theirs. */
type ByOperator = { by: string; reason?: string };

/** `name` is the domain's or the site's. */
type Suspended = { scope: 'all' | 'domain' | 'site'; name: string };

/** The address, where no message is concerned. */
type Unsent = { to?: string };

interface EventData {
  /** A message was taken in, durably. */
  accepted: {
    via: 'smtp' | 'submission' | 'control' | 'internal' | 'lmtp';
    from: string;
    to: string[];
    sizeBytes: number;
    client?: { address: string; helo: string; reverseName?: string };
    account?: string;
    /** The name of the app password that it logged in with. */
    appPassword?: string;
    messageId?: string;
    tls?: TlsFacts;
    /** When it is to go, as the sender wants it: times in ms since the epoch. */
    asked?: {
      releaseAt?: number;
      deliverBy?: { at: number; mode: 'R' | 'N'; trace?: true };
      priority?: number;
    };
    dialogue?: DialogueLine[];
  };
  /** A message was not taken in; the sender was told so. */
  refused: {
    from: string;
    to: string[];
    client?: { address: string; helo: string; reverseName?: string };
    reply: string;
    rule: string;
    messageId?: string;
    /** What was known; where it was refused before the message came. */
    facts?: Facts;
    dialogue?: DialogueLine[];
  };
  /** The client sent the message once more, since our `250` may not have reached it: it got that answer again, and no more. */
  repeated: { client: { address: string; helo: string; reverseName?: string } };
  /** What the sender checks found, and what follows from it for the message as a whole. */
  checked: {
    authenticationResults: string;
    spf: string;
    dkim: string;
    dmarc: string;
    decision: 'accept' | 'junk' | 'greylist' | 'reject' | 'defer';
    /** In words: which rule decided and why. */
    rule: string;
    durationMs: number;
    /** All that is known of it; absent in what earlier versions wrote. */
    facts?: Facts;
    /** What was open for hours counted as none (RFC 7208 §2.6.6 leaves that to the receiver). */
    givenUp?: true;
  };
  /** What a recipient's policy made of it. */
  judged: {
    policy: string;
    /** `defer`: the message was asked back. */
    disposition: 'accept' | 'junk' | 'greylist' | 'reject' | 'defer';
    /** Where it is put, if it is taken. */
    folder?: 'Inbox' | 'Junk';
    rule: string;
    score?: number;
    scored?: { check: string; score: number; why: string }[];
    /** Checks that had no answer, and why. */
    unknown?: string[];
    /** What is known of this recipient beside. */
    facts?: Omit<RecipientFacts, 'recipient'>;
  };
  /** What the filters said of mail that is our own and has no policy; else that is among the facts of `checked`. */
  filtered: {
    filters: readonly FilterFact[];
    decision: 'accept' | 'junk' | 'reject' | 'defer';
    rule: string;
  };
  /** DKIM signatures that we added: one, and those of the domain's other keys. */
  signed: {
    domain: string;
    selector: string;
    algorithm: string;
    also?: readonly { selector: string; algorithm: string }[];
  };
  /** A recipient was resolved to another: alias, postmaster. */
  redirected: { from: string; rule: string };
  /** DNS answers and the hosts that follow, in the order in which they are tried. */
  routed: {
    domain: string;
    answers: string[];
    hosts: string[];
    durationMs: number;
    /** Why these, where they are not what DNS says of the domain. */
    rule?: string;
    /** The transport that took it, and what the configuration has that for. Absent: by MX. */
    transport?: { name: string; domains: string; sender?: string };
    /** Which TLS the hosts must show, and why, in words. Absent where no policy was found: opportunistic. */
    tls?: string[];
  };
  /** One host was tried: connection, TLS, dialogue. */
  attempted: {
    endpoint: Endpoint;
    tls?: TlsFacts;
    /** Addresses of the same host that were tried at the same moment and had not answered yet. */
    outran?: string[];
    /** Why from this address of ours and not from another, where there is a reason. */
    sourceRule?: string;
    /** Absent: opportunistic, TLS where it is offered. */
    policy?: TlsPolicyFacts;
    /** TLS is offered and was not used: its handshakes have failed since then, ms since the epoch. */
    tlsBrokenSince?: number;
    /** Mail before this one went over the same connection. */
    reused: boolean;
    dialogue: DialogueLine[];
    /** Why the connection failed, where it did. */
    error?: string;
    /** How and why what was sent is not octet for octet what was accepted. */
    converted?: string;
    /** Why the same message goes over IPv4 now: our IPv6 address was refused. */
    moved?: string;
  };
  /** A program was given the message. */
  ran: { command: string[]; end: string; durationMs: number };
  delivered: { endpoint?: Endpoint; folder?: string; file?: string; program?: string; reply?: string };
  deferred: {
    reason: string;
    status: string;
    phase: string;
    rule: string;
    /** That were made so far; what was only put off is none. */
    attempts: number;
    /** Absent where nobody will try again (`posthorn send --direct`). */
    nextAttemptAt?: number;
    endpoint?: Endpoint;
    /** The octets on our own disk are not those that were accepted. */
    copyIsDamaged?: boolean;
  };
  failed: {
    reason: string;
    status: string;
    phase: string;
    rule: string;
    endpoint?: Endpoint;
    copyIsDamaged?: boolean;
    /** The receiver has nobody of this name. */
    noSuchUser?: boolean;
    /** An operator ended it. */
    by?: string;
  };
  /**
   * An attempt ended and nobody knows how: no reply came to the final dot, or the server stopped in the middle of it. It
   * may have arrived, and is tried again.
   */
  inDoubt: {
    rule: string;
    reason?: string;
    status?: string;
    phase?: string;
    endpoint?: Endpoint;
    /** How many attempts have ended so. */
    lostReplies?: number;
    nextAttemptAt?: number;
  };
  /** A report about this recipient went out; `report` is its queue id. */
  reported: {
    to: string;
    kind: 'failure' | 'success' | 'delay' | 'postmaster';
    report: string;
    /** Why the sender is not told, where the postmaster alone is. */
    rule?: string;
  };
  /** A report on TLS to a domain (RFC 8460) was sent, or given up: as the message of this queue id, or by HTTPS. */
  tlsReported: {
    domain: string;
    /** UTC, `2026-11-27`. */
    day: string;
    /** Where it went. */
    uri: string;
    successes: number;
    failures: number;
    /** Why it was given up; absent where it was sent. */
    problem?: string;
  };
  /** A DMARC aggregate report to a domain (RFC 9990) was sent, or given up: as the message of this queue id. */
  dmarcReported: {
    domain: string;
    /** UTC, `2026-11-27`. */
    day: string;
    /** Where it went. */
    uri: string;
    /** In the name of the domain. */
    messages: number;
    /** Why it was given up; absent where it was sent. */
    problem?: string;
  };
  /** An operator put it on hold: nothing is tried, and its time stands still. */
  held: ByOperator;
  /** An operator ended the hold. */
  released: ByOperator;
  /** An operator asked for an attempt now. */
  retried: ByOperator;
  /** An operator sent it to another address. Under that address, `redirected` tells where it came from. */
  readdressed: ByOperator & { to: string };
  /** An operator removed it from the queue; nobody was told. */
  dropped: ByOperator;
  /** While it waited, an operator suspended delivery to where it goes; and what came of that. */
  suspended: ByOperator & Suspended & { until?: number };
  /** `by` is absent where the time of the suspension was over. */
  resumed: Partial<ByOperator> & Suspended;
  /** After so many refusals, or by an operator's word, our users' mail to this recipient is refused until then. */
  suppressed: Partial<ByOperator> & Unsent & { failures?: number; until: number };
  /** An operator ended that. */
  unsuppressed: ByOperator & Unsent;
}

export type EventName = keyof EventData;

/** An event as it is stored and as `posthorn trace --json` prints it, but for `data` being spread there. */
export type DossierEvent = {
  [Name in EventName]: {
    at: number;
    queueId: string;
    recipient?: string;
    event: Name;
    data: EventData[Name];
  };
}[EventName];

export type EventOf<Name extends EventName> = Extract<DossierEvent, { event: Name }>;

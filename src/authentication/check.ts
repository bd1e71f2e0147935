/**
 * Checks the sender of a message that comes from outside: SPF, DKIM, DMARC and iprev, with one limit of time and one
 * of look-ups for all. It finds out and says so in Verdicts; what follows from them is for policy/.
 * RFC 7208, RFC 6376, RFC 9989, RFC 8601 §3.
 */

import type { Resolver } from '../dns/resolver.ts';
import { parseHeader } from '../mail/header.ts';
import type { Clock } from '../util/clock.ts';
import { startArc } from './arc-verify.ts';
import { type Author, findAuthor } from './author.ts';
import { type SignedMessage, startDkim } from './dkim-verify.ts';
import { startDmarc } from './dmarc.ts';
import { checkIprev } from './iprev.ts';
import { keyFinder } from './key-record.ts';
import { type LookUps, lookUps } from './look-ups.ts';
import { type Message, splitMessage } from './message-source.ts';
import { SignedBody } from './signed-body.ts';
import { SignedHeader } from './signed-header.ts';
import { checkSpf, checkSpfOfHelo, type Sender } from './spf.ts';
import type { Verdicts } from './verdicts.ts';

export interface CheckLimits {
  /** For everything together; what is not known then is a temperror. */
  timeMs: number;
  /** DNS questions for SPF, DKIM and iprev together. RFC 7208 limits its own further. */
  lookUps: number;
  /** Those for SPF of the name in HELO, apart: no more than RFC 7208 allows. */
  heloLookUps: number;
  /** Those for the keys of an ARC chain, and for DMARC, apart: a sender must not be able to use up the others'. */
  arcLookUps: number;
  dmarcLookUps: number;
  /** A longer header section has no author domain, and its signatures are not checked. */
  headerOctets: number;
}

export const defaultCheckLimits: CheckLimits = {
  // RFC 7208 §4.6.4 wants at least 20 s for SPF alone; a client waits 10 minutes for the reply (RFC 5321 §4.5.3.2.6).
  timeMs: 30_000,
  lookUps: 150,
  heloLookUps: 120,
  // Two keys for each of fifty sets; eight for the author and for ten aligned domains, and whether the author's exists.
  arcLookUps: 100,
  dmarcLookUps: 90,
  headerOctets: 1024 * 1024,
};

export interface CheckParts {
  resolver: Resolver;
  clock: Clock;
  limits?: Partial<CheckLimits>;
  /** Domains whose ARC seals are believed; default: nobody's. */
  trustedSealers?: readonly string[];
  /** Ours. With it, failures of SPF are asked to be explained, which may name it. */
  hostname?: string;
}

export interface CheckedMessage extends Sender {
  /** As received, without our own trace fields. Read once; the body only where the message is signed. */
  message: Message;
}

/** Ends what may still be under way where one part of the check rejected. */
const checkIsOver = new Error('the check is over');

/**
 * Never rejects because of what a message or a DNS zone holds; rejects where reading the message does, and for a
 * resolver that breaks its contract.
 */
export async function checkSender(parts: CheckParts, checked: CheckedMessage): Promise<Verdicts> {
  const { clock, resolver, hostname, trustedSealers = [] } = parts;
  const limits = { ...defaultCheckLimits, ...parts.limits };
  const { clientAddress, helo } = checked;
  const startedAt = clock.now();
  const timeout = new AbortController();
  const cancel = clock.after(limits.timeMs, () =>
    timeout.abort(new Error('the time for the checks is over')),
  );
  const budget = (questions: number) => lookUps(resolver, questions, timeout.signal);
  let ofHelo: LookUps | undefined;
  const forHelo = () => {
    ofHelo = budget(limits.heloLookUps);
    return ofHelo;
  };
  const dns = {
    sender: budget(limits.lookUps),
    arc: budget(limits.arcLookUps),
    dmarc: budget(limits.dmarcLookUps),
  };
  const { headerOctets } = limits;
  try {
    const sender = hostname === undefined ? checked : { ...checked, receiver: { hostname, now: startedAt } };
    const [spf, spfHelo, iprev, { dkim, arc, judge }] = await Promise.all([
      checkSpf(dns.sender, sender),
      checkSpfOfHelo(forHelo, sender),
      checkIprev(dns.sender, clientAddress),
      readMessage({ dns, headerOctets, now: startedAt, trustedSealers }, checked.message),
    ]);
    const judged = await judge({ spf, dkim });
    const durationMs = clock.now() - startedAt;
    return {
      version: 1,
      client: { address: clientAddress, helo },
      spf,
      ...(spfHelo && { spfHelo }),
      ...judged,
      iprev,
      arc,
      lookUps: dns.sender.count() + dns.arc.count() + dns.dmarc.count() + (ofHelo?.count() ?? 0),
      durationMs,
    };
  } finally {
    cancel();
    timeout.abort(checkIsOver);
  }
}

interface Reading {
  dns: { sender: LookUps; arc: LookUps; dmarc: LookUps };
  headerOctets: number;
  now: number;
  trustedSealers: readonly string[];
}

/** What the message itself has to say: who its author is, with the policy for him, and which signatures it carries. */
async function readMessage({ dns, headerOctets, now, trustedSealers }: Reading, message: Message) {
  const { header, headerComplete, body, close } = await splitMessage(message, headerOctets);
  try {
    // What is longer is not looked into for its signatures either.
    const fields = headerComplete ? parseHeader(header).fields : [];
    const author = headerComplete ? findAuthor(fields) : longHeader(headerOctets);
    const signed: SignedMessage = {
      header: new SignedHeader(fields),
      body: new SignedBody(),
      findKey: keyFinder(dns.sender),
      now,
    };
    const judge = startDmarc(dns.dmarc, author);
    const dkim = startDkim(signed, fields);
    const sealed = { ...signed, findKey: keyFinder(dns.arc) };
    const arc = startArc(sealed, fields, { sealers: trustedSealers, authorDomain: author.domain });
    const { signal } = dns.sender;
    await signed.body.read(body(signal), signal);
    return { judge, dkim: await dkim(), arc: await arc() };
  } finally {
    await close();
  }
}

function longHeader(headerOctets: number): Author {
  return { problem: `the header section is longer than ${headerOctets} octets` };
}

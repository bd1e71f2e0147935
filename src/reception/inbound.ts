/**
 * Mail from outside: for our own recipients only, unless the client's network is trusted. The road of a message here,
 * top to bottom: recipients → header as it came → loops → sender checks → decision → trace fields → queue → 250.
 * RFC 5321; RFC 7208, 6376, 9989 for the checks; RFC 8601 for what is written of them.
 */

import { type Decision, decide } from '../authentication/decide.ts';
import { isSenderProven } from '../authentication/proven-sender.ts';
import { authenticationResults, isForgedResults } from '../authentication/results.ts';
import type { Verdicts } from '../authentication/verdicts.ts';
import type { Resolver } from '../dns/resolver.ts';
import type { DossierEvent } from '../dossier/event.ts';
import { authorDomain } from '../mail/author-domain.ts';
import { completeHeader } from '../mail/complete.ts';
import { fieldValue, type Header, parseHeader, removeFields } from '../mail/header.ts';
import type { Directory } from '../queue/directory.ts';
import { newEntry } from '../queue/entry.ts';
import type { Queue } from '../queue/queue.ts';
import type { Suppressions } from '../queue/suppressions.ts';
import { type Reply, reply, replyText } from '../smtp/reply.ts';
import { readContent } from '../store/content.ts';
import type { Spool } from '../store/spool.ts';
import type { Content, Store } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';
import {
  type AcceptedParts,
  acceptedEvent,
  clientFacts,
  messageIdOf,
  messageRow,
  queuedAs,
  traceField,
} from './accepted.ts';
import { isUnexpectedReport } from './backscatter.ts';
import { findLoop } from './loops.ts';
import { MessageCollector } from './message-collector.ts';
import type { ReportExpansion } from './requests.ts';
import { type Signers, type Signing, startSigning } from './signing.ts';
import type { Door, IncomingMessage, Session, Transaction } from './smtp-application.ts';
import { refuseSuppressed } from './suppressed.ts';

export interface InboundParts {
  hostname: string;
  headerBytes: number;
  inlineBytes: number;
  /** Dossiers are kept, so that it is known what was sent from here. */
  dossiers: boolean;
  queue: Pick<Queue, 'accept'>;
  reportExpansion: ReportExpansion;
  directory: Directory;
  store: Pick<Store, 'appendEvents' | 'isSentFromHere'>;
  spool: Pick<Spool, 'begin'>;
  resolver: Resolver;
  signers: Signers;
  /** Of what programs on trusted networks send. Absent: no address is refused. */
  suppressions?: Pick<Suppressions, 'findRefusal'>;
  clock: Clock;
  /** How long delivery may take, in ms. */
  lifetimeMs?: number;
}

export function inboundDoor(parts: InboundParts): Door {
  return {
    checkSender: () => undefined, // the null sender above all is welcome: it brings bounces
    refuseElsewhere: ({ trusted }, recipient) =>
      trusted ? refuseSuppressed(parts, recipient) : relayingDenied,
    openMessage: (session, transaction) => openMessage(parts, session, transaction),
  };
}

const relayingDenied = reply(
  550,
  '5.7.1',
  'Relaying denied; to send as our user, authenticate on the submission port',
);

/** What is known of a message when its last octet is there. */
interface Received extends AcceptedParts {
  collector: MessageCollector;
  signing: Signing | undefined;
  /** The author's domain, of mail from a trusted network: it may be ours. */
  authorDomain: string | undefined;
}

function openMessage(parts: InboundParts, session: Session, transaction: Transaction): IncomingMessage {
  let header: Header = parseHeader(Buffer.alloc(0));
  let signing: Signing | undefined;
  let domain: string | undefined;
  const collector = new MessageCollector({
    openSpool: () => parts.spool.begin(),
    inlineBytes: parts.inlineBytes,
    headerBytes: parts.headerBytes,
    editHeader(original) {
      header = parseHeader(original);
      if (session.trusted) domain = authorDomain(header);
      signing = startSigning(parts.signers, domain);
      return withoutForeignFields(header, original, parts.hostname);
    },
    onBody: (chunk) => signing?.onBody(chunk),
  });
  const accept = () => {
    const at = parts.clock.now();
    return receive(parts, { session, transaction, header, at, collector, signing, authorDomain: domain });
  };
  return { collector, accept };
}

/** Return-Path is written at final delivery only (RFC 5321 §4.4), and results in our name only by us (RFC 8601 §5). */
function withoutForeignFields(header: Header, original: Buffer, hostname: string): Buffer {
  const foreign = (field: Header['fields'][number]) =>
    field.name === 'return-path' ||
    (field.name === 'authentication-results' && isForgedResults(fieldValue(field), hostname));
  return header.fields.some(foreign) ? removeFields(header, foreign) : original;
}

async function receive(parts: InboundParts, received: Received): Promise<Reply> {
  const { session, transaction, header } = received;
  const loop = findLoop(header, transaction.recipients);
  if (loop) return refuse(parts, received, loop, 'mail loop');
  const content = await received.collector.finish();
  const verdicts = session.trusted ? undefined : await check(parts, received, content);
  const decision: Decision = verdicts ? decide(verdicts) : trustedNetwork;
  if (decision.reply) return refuse(parts, received, decision.reply, decision.rule, verdicts);
  await enqueue(parts, received, { content, decision, verdicts });
  return queuedAs(transaction.queueId);
}

const trustedNetwork: Decision = { decision: 'accept', rule: 'trusted network: sender checks are skipped' };

async function check(parts: InboundParts, received: Received, content: Content): Promise<Verdicts> {
  const { session, transaction, collector } = received;
  // Loaded when first needed: a server that only sends has no use for these 30 MiB.
  const { checkSender } = await import('../authentication/check.ts');
  return checkSender(parts, {
    clientAddress: session.peer.address,
    helo: session.hello?.name ?? '',
    reversePath: transaction.reversePath,
    message: asItCame(collector, content),
  });
}

/** The message as the sender signed it: with the header fields that we have taken out. */
async function* asItCame(
  { header, originalHeader }: MessageCollector,
  content: Content,
): AsyncIterable<Buffer> {
  yield originalHeader;
  let skip = header.length;
  for await (const chunk of readContent(content)) {
    if (skip < chunk.length) yield chunk.subarray(skip);
    skip = Math.max(0, skip - chunk.length);
  }
}

/** What the message is, and what follows from it. */
interface Judged {
  content: Content;
  decision: Decision;
  /** Absent for mail from trusted networks, which is not checked. */
  verdicts: Verdicts | undefined;
}

async function enqueue(parts: InboundParts, received: Received, judged: Judged): Promise<void> {
  const { session, transaction } = received;
  const { content, verdicts } = judged;
  const reverseName = verdicts?.iprev.name;
  const ours = await completeOurs(parts, received);
  const results = verdicts ? authenticationResults(verdicts, parts.hostname) : '';
  const prefix = Buffer.from(results + traceField(parts.hostname, received, reverseName) + ours.fields);
  const senderProven = verdicts === undefined || isSenderProven(verdicts, transaction.reversePath);
  const message = messageRow({ ...received, header: ours.header }, { prefix, content, senderProven });
  const { folder, rule } = await chooseFolder(parts, received, judged);
  const decision = { ...judged.decision, rule };
  const checked = verdicts ? [checkedEvent(parts, received, { verdicts, decision, folder })] : [];
  const events = [acceptedEvent(received, message, reverseName), ...checked, ...ours.events];
  const { recipients } = transaction;
  const { lifetimeMs } = parts;
  const sentFromHere = session.trusted;
  await parts.queue.accept(newEntry({ message, recipients, folder, events, sentFromHere, lifetimeMs }));
  if (transaction.expanded) await parts.reportExpansion(message, transaction.expanded);
}

async function chooseFolder(
  { dossiers, store }: InboundParts,
  { session, transaction, header }: Received,
  { content, decision }: Judged,
): Promise<{ folder: 'Inbox' | 'Junk'; rule: string }> {
  const unexpected =
    dossiers && !session.trusted && (await isUnexpectedReport(store, transaction, header, content));
  if (unexpected) return { folder: 'Junk', rule: 'a delivery report for nothing that was sent from here' };
  return { folder: decision.decision === 'junk' ? 'Junk' : 'Inbox', rule: decision.rule };
}

/** A program on a trusted network that writes in our name may leave Date and Message-ID to us, and signs with our key. */
async function completeOurs(
  parts: InboundParts,
  { header, collector, signing, authorDomain: domain, transaction, at }: Received,
): Promise<{ fields: string; header: Header; events: DossierEvent[] }> {
  if (domain === undefined || !parts.directory.isLocal(domain)) return { fields: '', header, events: [] };
  const messageId = `<${transaction.queueId}@${domain}>`;
  const { prefix } = completeHeader(collector.header, { from: transaction.reversePath, date: at, messageId });
  const completed = Buffer.concat([prefix, collector.header]);
  const signature = await signing?.sign(completed);
  return {
    fields: (signature?.field ?? '') + prefix.toString('utf8'),
    header: prefix.length === 0 ? header : parseHeader(completed),
    events: signature ? [signature.event(at, transaction.queueId)] : [],
  };
}

interface CheckedFacts {
  verdicts: Verdicts;
  decision: Decision;
  folder: 'Inbox' | 'Junk';
}

function checkedEvent(
  parts: InboundParts,
  { transaction, at }: Received,
  { verdicts, decision: { decision, rule }, folder }: CheckedFacts,
): DossierEvent {
  const data = {
    authenticationResults: authenticationResults(verdicts, parts.hostname).trimEnd(),
    spf: verdicts.spf.result,
    dkim: verdicts.dkim.map(({ domain, result }) => `${result} (${domain})`).join(', ') || 'none',
    dmarc: verdicts.dmarc.result,
    decision: decision === 'accept' && folder === 'Junk' ? ('junk' as const) : decision,
    rule,
    durationMs: parts.clock.now() - at,
  };
  return { at: parts.clock.now(), queueId: transaction.queueId, event: 'checked', data };
}

/** Tells the client, and leaves a dossier of what was refused and why. */
async function refuse(
  parts: InboundParts,
  received: Received,
  answer: Reply,
  rule: string,
  verdicts?: Verdicts,
): Promise<Reply> {
  const { session, transaction, header } = received;
  const { queueId, reversePath, forwardPaths } = transaction;
  const { at, lines } = session.dialogue(answer);
  const messageId = messageIdOf(header);
  const data = {
    from: reversePath,
    to: [...forwardPaths],
    client: clientFacts(session, verdicts?.iprev.name),
    reply: replyText(answer),
    rule,
    dialogue: lines,
    ...(messageId === undefined ? {} : { messageId }),
  };
  const events: DossierEvent[] = [{ at, queueId, event: 'refused', data }];
  if (verdicts)
    events.push(checkedEvent(parts, received, { verdicts, decision: decide(verdicts), folder: 'Inbox' }));
  await parts.store.appendEvents(events);
  return answer;
}

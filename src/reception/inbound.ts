/**
 * Mail from outside: for our own recipients only, unless the client's network is trusted. The road of a message here,
 * top to bottom: recipients → header as it came → loops → sender checks → the recipients' policies → trace fields → queue → 250.
 * RFC 5321; RFC 7208, 6376, 9989 for the checks; RFC 8601 for what is written of them.
 */

import { checkSender } from '../authentication/check.ts';
import { isSenderProven } from '../authentication/proven-sender.ts';
import { authenticationResults, isForgedResults } from '../authentication/results.ts';
import type { Verdicts } from '../authentication/verdicts.ts';
import type { Resolver } from '../dns/resolver.ts';
import type { DossierEvent } from '../dossier/event.ts';
import { isDeliveryReport } from '../dsn/recognise.ts';
import { fieldsText } from '../filter/added-fields.ts';
import { decideFilters } from '../filter/decide.ts';
import { authorDomain } from '../mail/author-domain.ts';
import { completeHeader } from '../mail/complete.ts';
import { fieldValue, type Header, parseHeader, removeFields } from '../mail/header.ts';
import type { Decision } from '../policy/decide.ts';
import type { Directory, Recipient } from '../queue/directory.ts';
import { newEntry } from '../queue/entry.ts';
import type { Queue } from '../queue/queue.ts';
import type { Suppressions } from '../queue/suppressions.ts';
import type { DmarcReports } from '../reporting/dmarc-reports.ts';
import type { ReportInbox } from '../reporting/inbox/report-inbox.ts';
import { isPositive, type Reply, reply, replyText } from '../smtp/reply.ts';
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
import { filteredEvents } from './filters/filtered.ts';
import type { Filtered, Filters } from './filters/filters.ts';
import { type Judging, type Judgment, judgedEvents, verdictText } from './judging.ts';
import { refuseUnproven } from './list-posts.ts';
import { findLoop } from './loops.ts';
import { MessageCollector } from './message-collector.ts';
import type { ReportExpansion } from './requests.ts';
import { sealOnward } from './sealing.ts';
import { type Signers, type Signing, startSigning } from './signing.ts';
import type { Door, IncomingMessage, Session, Transaction } from './smtp-application.ts';
import { refuseSuppressed } from './suppressed.ts';

export interface InboundParts {
  hostname: string;
  headerBytes: number;
  inlineBytes: number;
  queue: Pick<Queue, 'accept'>;
  reportExpansion: ReportExpansion;
  directory: Directory;
  store: Pick<Store, 'appendEvents'>;
  judging: Judging;
  spool: Pick<Spool, 'begin'>;
  resolver: Resolver;
  signers: Signers;
  /** Of what programs on trusted networks send. Absent: no address is refused. */
  suppressions?: Pick<Suppressions, 'findRefusal'>;
  clock: Clock;
  /** Absent where none is configured. */
  filters?: Filters | undefined;
  /** Whose ARC seals are believed; absent: nobody's. */
  arc?: { seal: boolean; trustedSealers: readonly string[] };
  /** How long delivery may take, in ms. */
  lifetimeMs?: number;
  /** Where reports on us are read. Absent: they are mail like any other. */
  reports?: Pick<ReportInbox, 'offer'> | undefined;
  /** Absent: nobody is told what came in their name. */
  dmarcReports?: Pick<DmarcReports, 'note'> | undefined;
}

export function inboundDoor(parts: InboundParts): Door {
  return {
    checkSender: () => undefined, // the null sender above all is welcome: it brings bounces
    refuseElsewhere: ({ trusted }, recipient) =>
      trusted ? refuseSuppressed(parts, recipient) : relayingDenied,
    refuseRecipient: (session, transaction, found) =>
      session.trusted ? undefined : refuseAtRcpt(parts, { session, transaction, ...found }),
    unknownRecipient: (session) => void (session.trusted || parts.judging.unknownRecipient(session)),
    openMessage: (session, transaction) => openMessage(parts, session, transaction),
    screen: parts.filters,
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
export function withoutForeignFields(header: Header, original: Buffer, hostname: string): Buffer {
  const foreign = (field: Header['fields'][number]) =>
    field.name === 'return-path' ||
    (field.name === 'authentication-results' && isForgedResults(fieldValue(field), hostname));
  return header.fields.some(foreign) ? removeFields(header, foreign) : original;
}

/** Where a policy turns a recipient away whatever the message may be, it need not come. */
async function refuseAtRcpt(
  parts: InboundParts,
  { session, transaction, spelled, recipients }: Addressed,
): Promise<Reply | undefined> {
  const refusal = await parts.judging.refuseAtRcpt(session, transaction, recipients);
  if (refusal === undefined) return undefined;
  const { facts, decision, reply: answer } = refusal;
  const { queueId } = transaction;
  const at = parts.clock.now();
  const told = refusedData({ session, transaction, to: [spelled] }, answer);
  const data = { ...told, rule: decision.rule, facts };
  await parts.store.appendEvents([
    { at, queueId, event: 'refused', data },
    ...judgedEvents(queueId, at, decision.rulings),
  ]);
  parts.judging.settled({ session, transaction, recipients, judgment: refusal, stage: 'rcpt' });
  return answer;
}

interface Addressed {
  session: Session;
  transaction: Transaction;
  spelled: string;
  recipients: readonly Recipient[];
}

async function receive(parts: InboundParts, received: Received): Promise<Reply> {
  const { transaction, header } = received;
  const { recipients } = transaction;
  const loop = findLoop(header, recipients);
  if (loop) return refuse(parts, received, { decision: { rule: 'mail loop', reply: loop } });
  const isReturn = recipients.some((recipient) => recipient.isReturn);
  if (isReturn && !isDeliveryReport(header.fields)) return refuse(parts, received, { decision: onlyReports });
  const content = await received.collector.finish();
  const isPlain = received.session.trusted && !parts.filters;
  const found = isPlain ? nothingFound : await examine(parts, received, content);
  if (found.checked) noteForReports(parts, received, found.checked);
  const refusal = refusalOf(found, transaction);
  const answer = refusal
    ? await refuse(parts, received, refusal)
    : await enqueue(parts, received, { content, ...found });
  const judgment = found.checked?.judgment;
  // What a filter has refused was not refused for what the policies know.
  if (judgment && isPositive(answer) === (judgment.decision.reply === undefined))
    parts.judging.settled({ session: received.session, transaction, recipients, judgment, stage: 'message' });
  return answer;
}

/** What is not decided yet comes again, and is counted then. */
function noteForReports(
  { dmarcReports }: InboundParts,
  { transaction: { reversePath }, header }: Received,
  { verdicts, judgment: { decision } }: Checked,
): void {
  const outcome = decision.decision;
  if (outcome === 'accept' || outcome === 'junk' || outcome === 'reject')
    dmarcReports?.note({ verdicts, reversePath, header, outcome });
}

/** What was found of a message. */
interface Found {
  /** Absent for mail from trusted networks, which is not checked. */
  checked: Checked | undefined;
  /** Absent where no filter has seen it. */
  filtered: Filtered | undefined;
}

const nothingFound: Found = { checked: undefined, filtered: undefined };

async function examine(parts: InboundParts, received: Received, content: Content): Promise<Found> {
  const filtering = parts.filters && filter(parts.filters, received, content);
  if (received.session.trusted) return { checked: undefined, filtered: await filtering };
  // The filters read it while DNS is asked.
  const [verdicts, filtered] = await Promise.all([check(parts, received, content), filtering]);
  return { checked: await judge(parts, received, { content, verdicts, filtered }), filtered };
}

function filter(filters: Filters, { session, transaction, collector }: Received, content: Content) {
  const { header } = collector;
  return filters.message(session, transaction, {
    header: parseHeader(header),
    headerBytes: header.length,
    content,
  });
}

/** Mail from trusted networks has no policy; filters that are to see it may refuse it all the same. */
function refusalOf(
  { checked, filtered }: Found,
  { recipients, reversePath }: Transaction,
): Refusal | undefined {
  if (checked?.judgment.decision.reply) return checked;
  const unproven = checked && refuseUnproven(recipients, reversePath, checked.verdicts);
  if (unproven) return { decision: unproven, filtered };
  if (checked) return undefined;
  const { rule, reply } = decideFilters(filtered?.facts ?? []);
  return reply && { decision: { rule, reply }, filtered };
}

const onlyReports = {
  rule: 'not a report: such an address takes nothing else',
  reply: reply(
    550,
    '5.7.1',
    'This address takes delivery reports only (multipart/report; RFC 3464); write to the person',
  ),
};

/** What was found of a message that does not come from a trusted network, and what follows. */
interface Checked {
  verdicts: Verdicts;
  judgment: Judgment;
}

async function judge(
  parts: InboundParts,
  { session, transaction, header, collector }: Received,
  { content, verdicts, filtered }: { content: Content; verdicts: Verdicts; filtered: Filtered | undefined },
): Promise<Checked> {
  const filters = filtered?.facts ?? [];
  const message = { session, transaction, header, collector, content, verdicts, filters };
  return { verdicts, judgment: await parts.judging.judge(message) };
}

async function check(parts: InboundParts, received: Received, content: Content): Promise<Verdicts> {
  const { session, transaction, collector } = received;
  const trustedSealers = parts.arc?.trustedSealers ?? [];
  return checkSender(
    { ...parts, trustedSealers },
    {
      clientAddress: session.peer.address,
      helo: session.hello?.name ?? '',
      reversePath: transaction.reversePath,
      message: asItCame(collector, content),
    },
  );
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
interface Judged extends Found {
  content: Content;
}

async function enqueue(
  parts: InboundParts,
  received: Received,
  { content, checked, filtered }: Judged,
): Promise<Reply> {
  const { session, transaction } = received;
  const verdicts = checked?.verdicts;
  const reverseName = verdicts?.iprev.name;
  const ours = await completeOurs(parts, received);
  const results = verdicts ? authenticationResults(verdicts, parts.hostname) : '';
  const added = fieldsText(filtered?.fields ?? []);
  const trace = traceField(parts.hostname, received, reverseName);
  const fields = results + added + trace + ours.fields;
  const seal = verdicts ? await sealOnward(parts, { ...received, content, fields, verdicts }) : '';
  const prefix = Buffer.from(seal + fields);
  const senderProven = verdicts === undefined || isSenderProven(verdicts, transaction.reversePath);
  const message = messageRow({ ...received, header: ours.header }, { prefix, content, senderProven });
  const found = checked
    ? checkedEvents(parts, received, checked)
    : filteredEvents(filtered, parts.clock.now(), transaction.queueId);
  // Whether a bounce arrives is nobody's trouble here.
  if (transaction.recipients.every(({ isReturn }) => isReturn)) message.failuresTo = 'nobody';
  const events = [acceptedEvent(received, message, reverseName), ...found, ...ours.events];
  const recipients = checked
    ? ruled(transaction.recipients, checked.judgment.decision)
    : transaction.recipients;
  const { lifetimeMs } = parts;
  const { queueId, forwardPaths } = transaction;
  const { at, header } = received;
  const offered = parts.reports?.offer({ queueId, at, forwardPaths, header, content, verdicts });
  if (offered !== undefined) await offered;
  await parts.queue.accept(
    newEntry({ message, recipients, events, sentFromHere: session.trusted, lifetimeMs }),
  );
  if (transaction.expanded) await parts.reportExpansion(message, transaction.expanded);
  return queuedAs(queueId);
}

/** Each recipient with what its policy says; the rulings are in the order of the recipients. */
const ruled = (recipients: readonly Recipient[], { rulings }: Decision): Recipient[] =>
  recipients.map((recipient, index) => {
    const ruling = rulings[index];
    return ruling
      ? { ...recipient, ruling: { folder: ruling.folder, verdict: verdictText(ruling) } }
      : recipient;
  });

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

function checkedEvents(
  parts: InboundParts,
  { transaction: { queueId }, at }: Received,
  { verdicts, judgment: { facts, decision, givenUp } }: Checked,
): DossierEvent[] {
  const now = parts.clock.now();
  const data = {
    authenticationResults: authenticationResults(verdicts, parts.hostname).trimEnd(),
    spf: verdicts.spf.result,
    dkim: verdicts.dkim.map(({ domain, result }) => `${result} (${domain})`).join(', ') || 'none',
    dmarc: verdicts.dmarc.result,
    decision: decision.decision,
    rule: decision.rule,
    durationMs: now - at,
    facts,
    ...(givenUp && { givenUp }),
  };
  return [{ at: now, queueId, event: 'checked', data }, ...judgedEvents(queueId, now, decision.rulings)];
}

/** Why it is refused: a rule of ours alone, or a judgement. */
type Refusal = { decision: { rule: string; reply: Reply }; filtered?: Filtered | undefined } | Checked;

/** Tells the client, and leaves a dossier of what was refused and why. */
async function refuse(parts: InboundParts, received: Received, refusal: Refusal): Promise<Reply> {
  const { session, transaction, header, at } = received;
  const { queueId, forwardPaths } = transaction;
  const checked = 'judgment' in refusal ? refusal : undefined;
  const { rule, reply: answer } = 'judgment' in refusal ? refusal.judgment.decision : refusal.decision;
  if (answer === undefined) throw new Error('a refusal without a reply');
  const messageId = messageIdOf(header);
  const data = {
    ...refusedData({ session, transaction, to: forwardPaths }, answer, checked?.verdicts.iprev.name),
    rule,
    ...(messageId === undefined ? {} : { messageId }),
  };
  const events: DossierEvent[] = [{ at, queueId, event: 'refused', data }];
  if ('judgment' in refusal) events.push(...checkedEvents(parts, received, refusal));
  else events.push(...filteredEvents(refusal.filtered, parts.clock.now(), queueId));
  await parts.store.appendEvents(events);
  return answer;
}

function refusedData(
  { session, transaction, to }: { session: Session; transaction: Transaction; to: readonly string[] },
  answer: Reply,
  reverseName?: string,
) {
  const { lines } = session.dialogue(answer);
  return {
    from: transaction.reversePath,
    to: [...to],
    client: clientFacts(session, reverseName),
    reply: replyText(answer),
    dialogue: lines,
  };
}

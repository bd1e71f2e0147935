/**
 * Who is told what became of a message: of a failure the sender by a report (RFC 3464) and the postmaster by a notice
 * without content, of a delay the sender, of success the sender who asked for it (RFC 3461 §5.2). All are messages like
 * any other: they go through the queue, from the null sender; but nobody is told about them in turn. A sender who may be
 * forged, or is null, is never told (RFC 5321 §6.1, §6.2).
 */

import type { DkimSigner } from '../../authentication/dkim-sign.ts';
import { signMessage } from '../../authentication/sign-message.ts';
import type { DossierEvent } from '../../dossier/event.ts';
import { composeDelayReport } from '../../dsn/delay-report.ts';
import type { DelayedRecipient, FailedRecipient } from '../../dsn/failure.ts';
import { composeFailureReport } from '../../dsn/failure-report.ts';
import { composePostmasterNotice } from '../../dsn/postmaster-notice.ts';
import type { ReachedRecipient } from '../../dsn/success.ts';
import { composeSuccessReport } from '../../dsn/success-report.ts';
import { formatAddress, needsSmtputf8, parseAddress } from '../../mail/address.ts';
import type { Directory, Recipient } from '../../queue/directory.ts';
import { newEntry } from '../../queue/entry.ts';
import { type MessageRow, tracedAs } from '../../store/message.ts';
import type { NewMessage } from '../../store/queue-store.ts';
import type { Clock } from '../../util/clock.ts';
import { headerOf, originalOf } from './original.ts';

export interface ReportParts {
  hostname: string;
  directory: Directory;
  signers: ReadonlyMap<string, DkimSigner>;
  nextQueueId(): string;
  clock: Clock;
  /** How long the delivery of a report may take, in ms. */
  lifetimeMs?: number;
}

export interface Reports {
  entries: Omit<NewMessage, 'claimed'>[];
  /** For the dossier of the message that failed. */
  events: DossierEvent[];
}

/** What there is to tell about some of a message's recipients. */
export interface News {
  /** Given up for good. */
  failures?: readonly FailedRecipient[];
  /** Reached, and the sender wanted to hear of it. */
  reached?: readonly ReachedRecipient[];
  /** Tried again, and the sender is to know. */
  delays?: readonly DelayedRecipient[];
}

/**
 * The messages that this gives rise to; none about what is itself a report of ours. Of a mailing list's members its owner
 * hears, not who has written to it; and not of success.
 */
export async function reportsFor(parts: ReportParts, message: MessageRow, news: News): Promise<Reports> {
  const { failures = [], reached = [], delays = [] } = news;
  const owners = new Set([...failures, ...reached, ...delays].flatMap(({ errorsTo }) => errorsTo ?? []));
  if (owners.size === 0) return reportsOf(parts, message, news);
  const isFor = (owner?: string) => (each: { errorsTo?: string }) => each.errorsTo === owner;
  const direct = {
    failures: failures.filter(isFor()),
    reached: reached.filter(isFor()),
    delays: delays.filter(isFor()),
  };
  const all = [await reportsOf(parts, message, direct)];
  for (const owner of owners) {
    const listed: MessageRow = { ...message, reversePath: owner, failuresTo: 'sender' };
    const told = { failures: failures.filter(isFor(owner)), delays: delays.filter(isFor(owner)) };
    all.push(await reportsOf(parts, listed, told));
  }
  return { entries: all.flatMap(({ entries }) => entries), events: all.flatMap(({ events }) => events) };
}

async function reportsOf(
  parts: ReportParts,
  message: MessageRow,
  { failures = [], reached = [], delays = [] }: News,
): Promise<Reports> {
  if (failures.length + reached.length + delays.length === 0 || message.failuresTo === 'nobody')
    return { entries: [], events: [] };
  const told = await factsToTell(parts, message);
  const wanted = failures.filter(({ unwanted }) => !unwanted);
  const letters =
    told.untold === undefined ? await lettersToSender(message, told, { wanted, reached, delays }) : [];
  if (failures.length > 0) letters.push(letterToPostmaster(parts, postmastersView(told, wanted), failures));
  const sent: Reports[] = [];
  for (const letter of letters) sent.push(await send(parts, letter));
  return { entries: sent.flatMap(({ entries }) => entries), events: sent.flatMap(({ events }) => events) };
}

/** What a report and a notice have in common. */
interface Told {
  hostname: string;
  queueId: string;
  arrivedAt: number;
  /** With its domain in A-labels. */
  sender: string;
  /** Our address that they come from. */
  from: string;
  envid?: string;
  requireTls?: true;
  /** Of the message that is told of: the report is a part of its trace. */
  traceparent?: string;
  now: number;
  /** Why the sender is not told. */
  untold?: string;
}

async function factsToTell(parts: ReportParts, message: MessageRow): Promise<Told> {
  const { queueId, acceptedAt, reversePath, failuresTo, requests: { envid, requireTls } = {} } = message;
  const { hostname, directory, clock } = parts;
  const address = parseAddress(reversePath);
  const sender = address ? formatAddress(address) : reversePath;
  const from = ownAddress(parts, address?.domain);
  const untold = await reasonNotToTell(directory, sender, failuresTo);
  return {
    ...{ hostname, queueId, arrivedAt: acceptedAt, sender, from, now: clock.now() },
    ...(untold !== undefined && { untold }),
    ...(envid !== undefined && { envid }),
    ...(requireTls && { requireTls }),
    ...tracedAs(message),
  };
}

/**
 * The postmaster of a domain that we sign for, so that the signature is aligned (RFC 9989): the sender's own, or that of
 * our host. A person reads what is answered (RFC 3464 §2).
 */
function ownAddress({ hostname, signers, directory }: ReportParts, senderDomain: string | undefined): string {
  const signed = [...signers.keys()];
  const domain =
    signed.find((name) => name === senderDomain) ??
    signed.find((name) => hostname === name || hostname.endsWith(`.${name}`)) ??
    signed.find((name) => directory.isLocal(name)) ??
    (senderDomain !== undefined && directory.isLocal(senderDomain) ? senderDomain : directory.firstDomain);
  return domain === undefined ? `MAILER-DAEMON@${hostname}` : `postmaster@${domain}`;
}

async function reasonNotToTell(
  directory: Directory,
  sender: string,
  failuresTo: MessageRow['failuresTo'],
): Promise<string | undefined> {
  if (sender === '') return 'it is the null sender, which takes no answers';
  if (failuresTo !== 'sender') return 'nothing proves that the message came from there';
  return (await resolve(directory, sender)).length === 0 ? 'there is no such account' : undefined;
}

/** A sender who is told nothing of any of these failures has asked for it (RFC 3461 §5.2.6 b). */
function postmastersView(told: Told, wanted: readonly FailedRecipient[]): Told {
  if (told.untold !== undefined || wanted.length > 0) return told;
  return { ...told, untold: 'it asked for no report of failures (NOTIFY)' };
}

interface Letter {
  kind: 'failure' | 'success' | 'delay' | 'postmaster';
  told: Told;
  to: string;
  compose(messageId: string): Buffer;
}

async function lettersToSender(
  message: MessageRow,
  told: Told,
  news: Required<Pick<News, 'reached' | 'delays'>> & { wanted: readonly FailedRecipient[] },
): Promise<Letter[]> {
  const { wanted: failures, reached, delays } = news;
  const letters: Letter[] = [];
  const add = (kind: Letter['kind'], compose: Letter['compose']) =>
    letters.push({ kind, told, to: told.sender, compose });
  if (failures.length > 0) {
    const original = await originalOf(message);
    add('failure', (messageId) => composeFailureReport({ ...told, ...original, failures, messageId }));
  }
  if (reached.length + delays.length === 0) return letters;
  const header = await headerOf(message);
  if (reached.length > 0)
    add('success', (messageId) => composeSuccessReport({ ...told, header, reached, messageId }));
  if (delays.length > 0)
    add('delay', (messageId) => composeDelayReport({ ...told, header, delays, messageId }));
  return letters;
}

function letterToPostmaster(parts: ReportParts, told: Told, failures: readonly FailedRecipient[]): Letter {
  const postmaster = postmasterFor(parts.directory, told.sender);
  const compose = (messageId: string) =>
    composePostmasterNotice({ ...told, failures, postmaster, messageId });
  return { kind: 'postmaster', told, to: postmaster, compose };
}

/** What a notice of ours needs, to be a letter. */
export interface NoticeFrame {
  audience: 'user' | 'postmaster';
  from: string;
  to: string;
  messageId: string;
}

/** Letters to one of our users and to their postmaster, about no message: to whom of them there is. */
export async function noticesTo(
  parts: ReportParts,
  account: string,
  compose: (frame: NoticeFrame) => Buffer,
): Promise<Reports['entries']> {
  const from = ownAddress(parts, parseAddress(account)?.domain);
  const { hostname, clock } = parts;
  const letters: Reports['entries'] = [];
  for (const audience of ['user', 'postmaster'] as const) {
    const to = audience === 'user' ? account : postmasterFor(parts.directory, account);
    const told = { hostname, queueId: '', arrivedAt: clock.now(), sender: account, from, now: clock.now() };
    const letter: Letter = {
      kind: 'postmaster',
      told,
      to,
      compose: (messageId) => compose({ audience, from, to, messageId }),
    };
    letters.push(...(await send(parts, letter)).entries);
  }
  return letters;
}

const messageIdFor = ({ hostname }: ReportParts, report: string): string => `<${report}@${hostname}>`;

/** That of the sender's domain, if it is ours; else that of our first domain. */
function postmasterFor(directory: Directory, sender: string): string {
  const domain = parseAddress(sender)?.domain;
  return `postmaster@${domain !== undefined && directory.isLocal(domain) ? domain : (directory.firstDomain ?? '')}`;
}

/** Nothing, where there is nobody of that name. */
async function send(parts: ReportParts, letter: Letter): Promise<Reports> {
  const { kind, told, to } = letter;
  const recipients = await resolve(parts.directory, to);
  if (recipients.length === 0) return { entries: [], events: [] };
  const report = parts.nextQueueId();
  const at = parts.clock.now();
  const message = await reportRow(parts, { letter, report, at });
  const { sizeBytes } = message;
  const messageId = messageIdFor(parts, report);
  const accepted: DossierEvent = {
    at,
    queueId: report,
    event: 'accepted',
    data: { via: 'internal', from: '', to: [to], sizeBytes, messageId },
  };
  const reported: DossierEvent = {
    at,
    queueId: told.queueId,
    event: 'reported',
    data: { to, kind, report, ...(told.untold !== undefined && { rule: told.untold }) },
  };
  const entry = newEntry({
    message,
    recipients,
    events: [accepted],
    lifetimeMs: parts.lifetimeMs,
  });
  return { entries: [entry], events: [reported] };
}

async function resolve(directory: Directory, to: string): Promise<readonly Recipient[]> {
  const address = parseAddress(to);
  if (!address) return [];
  const resolution = await directory.resolve(address, to);
  if (resolution.status === 'unknown' || resolution.status === 'endless') return [];
  if (resolution.status === 'elsewhere') return [resolution.recipient];
  // A list is no sender: its owner, who may write in its name, is.
  const list = resolution.recipients.find((each) => each.list)?.list;
  return list && list.owner !== to ? resolve(directory, list.owner) : resolution.recipients;
}

async function reportRow(
  parts: ReportParts,
  { letter, report, at }: { letter: Letter; report: string; at: number },
): Promise<MessageRow> {
  const { to, told, compose } = letter;
  const { from, requireTls } = told;
  const messageId = messageIdFor(parts, report);
  const content = compose(messageId);
  const address = parseAddress(to);
  const signer = parts.signers.get(from.slice(from.lastIndexOf('@') + 1));
  const prefix = Buffer.from(signer ? await signMessage(signer, content) : '');
  return {
    queueId: report,
    acceptedAt: at,
    reversePath: '',
    prefix,
    content: { kind: 'inline', bytes: content },
    sizeBytes: prefix.length + content.length,
    eightBit: true,
    smtputf8: address !== undefined && needsSmtputf8(address),
    failuresTo: 'nobody',
    messageId,
    // What is said of a message is protected as the message was (RFC 8689 §5).
    ...(requireTls && { requests: { requireTls } }),
    ...tracedAs(told),
  };
}

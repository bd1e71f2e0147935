/**
 * One attempt, straight to the recipients' MX, from the process that asks: no server, no store, no queue. What does not
 * arrive now is told and not tried again.
 */

import { signMessage } from '../authentication/sign-message.ts';
import type { Config } from '../config/config.ts';
import type { DossierEvent } from '../dossier/event.ts';
import { type Address, needsSmtputf8, parseAddress } from '../mail/address.ts';
import { authorDomain } from '../mail/author-domain.ts';
import { type Completion, completeHeader } from '../mail/complete.ts';
import { findHeaderEnd, parseHeader } from '../mail/header.ts';
import { withCrlf } from '../mail/line-ends.ts';
import { receivedField } from '../mail/received.ts';
import type { JobRow } from '../store/job.ts';
import type { MessageRow } from '../store/message.ts';
import { systemClock } from '../util/clock.ts';
import { createLog } from '../util/log.ts';
import { queueIds } from '../util/queue-id.ts';
import { deliveredEvent, factsOf } from './decision.ts';
import { deliverRemotely } from './deliver.ts';
import {
  createConnections,
  createHttps,
  createResolver,
  createSourceChooser,
  loadSigner,
  loadSigners,
  routeOptions,
} from './outbound.ts';
import type { Outcome } from './outcome.ts';
import { createTls } from './tls/outbound-tls.ts';

export interface DirectLetter {
  /** `user@domain`, or '' for the null sender. */
  from: string;
  recipients: readonly string[];
  /** A message; what RFC 5322 asks for and it has not is added, blind copies are taken out. */
  content: Buffer;
}

/** Resolves to what happened: an outcome event for each recipient at least. Rejects for an address it cannot read. */
export async function deliverDirect(
  config: Config,
  { from, recipients, content }: DirectLetter,
): Promise<{ events: DossierEvent[] }> {
  const message = await messageFor(config, from, recipients.map(readAddress), withCrlf(content));
  const parts = await partsFor(config);
  const jobs = recipients.map((recipient, number) => newJob(message, recipient, number));
  const events: DossierEvent[] = [];
  for (const group of Map.groupBy(jobs, ({ destination }) => destination).values()) {
    const attempt = await deliverRemotely(parts, message, group, new AbortController().signal);
    const at = systemClock.now();
    const outcomes = group.flatMap((job, index) => outcomeEvent(job, attempt.outcomes[index], at));
    events.push(...attempt.events, ...outcomes);
  }
  await parts.close();
  return { events };
}

function outcomeEvent(job: JobRow, outcome: Outcome | undefined, at: number): DossierEvent[] {
  if (!outcome) return [];
  if (outcome.kind === 'delivered') return [deliveredEvent(job, outcome, at)];
  const { queueId, recipient } = job;
  const facts = factsOf(outcome);
  if (outcome.kind === 'failed') return [{ at, queueId, recipient, event: 'failed', data: facts }];
  return [{ at, queueId, recipient, event: 'deferred', data: { ...facts, attempts: 1 } }];
}

function readAddress(text: string): Address {
  const address = parseAddress(text);
  if (!address) throw new Error(`Cannot parse address "${text}": write user@example.org`);
  return address;
}

async function partsFor(config: Config) {
  const clock = systemClock;
  const [resolver, { pool, transports, close }] = await Promise.all([
    createResolver(config, clock),
    createConnections(config, clock),
  ]);
  const https = await createHttps(config, resolver, clock);
  // Policies live as long as this attempt: the server's store is not for others to open.
  const { policies, send, sts } = createTls(config, { clock, resolver, https, log: createLog('silent') });
  return {
    resolver,
    route: routeOptions(config, clock),
    tls: policies,
    send: {
      permanentFailures: config.delivery.permanentFailures,
      pool,
      tls: send,
      sources: createSourceChooser(config),
      signers: await loadSigners(config, clock),
    },
    transports,
    close: async () => void (await Promise.all([sts.close(), close()])),
  };
}

async function messageFor(config: Config, from: string, to: Address[], letter: Buffer): Promise<MessageRow> {
  const at = systemClock.now();
  const queueId = queueIds(systemClock.now, Math.random)();
  const domain = from.slice(from.lastIndexOf('@') + 1) || config.hostname;
  const content = completeMessage(letter, { from, date: at, messageId: `<${queueId}@${domain}>` });
  const trace = receivedField({ by: config.hostname, protocol: 'LOCAL', queueId, date: at });
  const prefix = Buffer.from(trace + (await signatureOn(config, content)));
  const sender = from === '' ? [] : [readAddress(from)];
  return {
    queueId,
    acceptedAt: at,
    reversePath: from,
    prefix,
    content: { kind: 'inline', bytes: content },
    sizeBytes: prefix.length + content.length,
    eightBit: content.some((octet) => octet >= 0x80),
    smtputf8: [...to, ...sender].some(needsSmtputf8),
    failuresTo: 'nobody', // but who waits for the result
  };
}

/** As submission does it (M3): Date, Message-ID and From are there then, and blind copies are not. */
function completeMessage(message: Buffer, completion: Completion): Buffer {
  const bodyStart = findHeaderEnd(message) ?? message.length;
  const { prefix, header } = completeHeader(message.subarray(0, bodyStart), completion);
  return Buffer.concat([prefix, header, message.subarray(bodyStart)]);
}

/** Signed as the server would sign it, if From is in one of our domains with a key. */
async function signatureOn({ domains }: Config, content: Buffer): Promise<string> {
  const author = authorDomain(parseHeader(content));
  const domain = domains.find(({ name }) => name === author);
  const signer = domain && (await loadSigner(domain, systemClock));
  return signer === undefined ? '' : signMessage(signer, content);
}

function newJob({ queueId, acceptedAt }: MessageRow, recipient: string, number: number): JobRow {
  const destination = readAddress(recipient).domain;
  const times = { queuedAt: acceptedAt, nextAttemptAt: acceptedAt, expiresAt: acceptedAt };
  return { queueId, number, recipient, kind: 'remote', destination, attempts: 0, ...times };
}

/**
 * One message out of the maildrop, into the queue: in the name of who owns its file. It is in the queue, on disk, before the
 * file goes; its queue id comes from the file's name, so that one that was taken before a kill is known again.
 */

import { createHash } from 'node:crypto';
import type { Config } from '../../config/config.ts';
import { addressKey, formatAddress } from '../../mail/address.ts';
import { type Dropped, droppedAt } from '../../store/maildrop.ts';
import type { Store } from '../../store/store.ts';
import { encodeId } from '../../util/queue-id.ts';
import { HandInError, handIn, type Taken } from '../control.ts';
import type { SubmissionParts } from '../submission.ts';
import { authorsOf, fromField, type Identity, mayUse, ownDomain, qualified } from './permit.ts';

export interface IntakeParts extends SubmissionParts {
  config: Config;
  store: Pick<Store, 'trace' | 'listJobs'>;
  nextQueueId(): string;
}

export type Intake =
  | { kind: 'taken'; queueId: string; from: string; refused: Taken['refused'] }
  /** By an earlier run, or it came out of a backup in which the queue has it too. */
  | { kind: 'repeated'; queueId: string }
  /** Its sender is to hear why. */
  | { kind: 'refused'; from: string; why: string };

/** Rejects with the store's error: then it is tried again. */
export async function takeDropped(
  parts: IntakeParts,
  { envelope, content, uid }: Dropped,
  { name, identity }: { name: string; identity: Identity },
): Promise<Intake> {
  const queueId = idOf(name, uid, parts.clock.now());
  if (await isKnown(parts.store, queueId)) return { kind: 'repeated', queueId };
  const domain = ownDomain(parts.config);
  const own = { localPart: identity.user, domain };
  const { senders } = parts.config.sendmail;
  const ownName = formatAddress(own);
  const refuse = (why: string): Intake => ({ kind: 'refused', from: ownName, why });
  const sender =
    envelope.from === undefined ? own : envelope.from === '' ? undefined : qualified(envelope.from, domain);
  if (envelope.from && sender === undefined) return refuse(`"${envelope.from}" is no address to send from`);
  const authors = authorsOf(content);
  if (authors === undefined) return refuse('its From or Sender cannot be read');
  const isOurs = ({ domain: its }: { domain: string }) =>
    parts.directory.isLocal(its) || its === parts.hostname;
  const foreign = [...(sender ? [sender] : []), ...authors].find(
    (address) =>
      !isOurs(address) || !mayUse(identity, address, { senders, ownDomains: [domain, parts.hostname] }),
  );
  if (foreign !== undefined)
    return refuse(
      `user ${identity.user} of this machine may not send as ${formatAddress(foreign)}. ` +
        `To allow it: [sendmail] senders = [{ user = "${identity.user}", as = ["${addressKey(foreign)}"] }]`,
    );
  const recipients = await resolvable(parts, envelope.recipients, domain);
  if (typeof recipients === 'string') return refuse(recipients);
  const isFromMissing = authors.length === 0;
  const whole = isFromMissing
    ? Buffer.concat([Buffer.from(`From: ${fromField(sender ?? own, envelope.fullName)}\r\n`), content])
    : content;
  const from = sender === undefined ? '' : formatAddress(sender);
  try {
    const { refused } = await handIn(
      { ...parts, nextQueueId: () => queueId },
      { from, recipients, content: whole },
    );
    return { kind: 'taken', queueId, from, refused };
  } catch (error) {
    if (error instanceof HandInError) return refuse(error.message);
    throw error;
  }
}

/** Time-ordered like every id; of the same file always the same. */
function idOf(name: string, uid: number, now: number): string {
  const digest = createHash('sha256').update(`${uid}:${name}`).digest();
  return encodeId(Math.min(droppedAt(name), now), digest.readUInt32BE());
}

/** It is in the queue, or has been. */
async function isKnown(store: IntakeParts['store'], queueId: string): Promise<boolean> {
  const { jobs } = await store.listJobs({ queueId, limit: 1 });
  return jobs.length > 0 || (await store.trace({ queueId, limit: 1 })).length > 0;
}

/**
 * A user of this machine who has no mailbox is the postmaster's to look after: `root` gets cron's mail, and few have an account
 * of that name. A sentence where one is no address.
 */
async function resolvable(
  { directory, hostname }: IntakeParts,
  recipients: readonly string[],
  domain: string,
): Promise<string[] | string> {
  const found: string[] = [];
  for (const text of recipients) {
    const written = qualified(text, domain);
    if (written === undefined) return `"${text}" is no address`;
    // The machine's own name need not be a domain of ours.
    const isMachine = written.domain === hostname && !directory.isLocal(hostname);
    const address = isMachine ? { ...written, domain } : written;
    const isUser = isMachine || !text.includes('@');
    const resolution = isUser ? await directory.resolve(address, formatAddress(address)) : undefined;
    const isMissing = resolution?.status === 'unknown' && !resolution.isClosed;
    found.push(isMissing ? `postmaster@${domain}` : formatAddress(address));
  }
  return found;
}

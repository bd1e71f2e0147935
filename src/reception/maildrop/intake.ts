/**
 * One message of a user of this machine, into the queue, in that user's name. Its queue id comes from the name under which it
 * was handed in, so that one that was taken before a kill, or whose sender did not hear the answer, is known again.
 */

import { createHash } from 'node:crypto';
import type { Config } from '../../config/config.ts';
import { type Address, addressKey, formatAddress } from '../../mail/address.ts';
import { withCrlf } from '../../mail/line-ends.ts';
import { handedInAt } from '../../store/drop-message.ts';
import type { Dropped } from '../../store/maildrop.ts';
import type { Store } from '../../store/store.ts';
import { encodeId } from '../../util/queue-id.ts';
import { type HandedIn, HandInError, handIn, type Refusal, type Taken } from '../control.ts';
import type { SubmissionParts } from '../submission.ts';
import { type Identity, identify } from './identity.ts';
import { authorsOf, fromField, mayUse, ownDomain, qualified } from './permit.ts';
import { qualifyFields } from './qualify.ts';
import { findRefusals, forgetRefusals, noteRefusals, type RefusalStore } from './refusals.ts';

export interface IntakeParts extends SubmissionParts {
  config: Config;
  store: Pick<Store, 'trace' | 'listJobs'> & RefusalStore;
  nextQueueId(): string;
}

/** A message, whose it is, and the name that it was given (drop-message.ts). */
export interface Handed extends Dropped {
  name: string;
}

export type Intake =
  | { kind: 'taken'; queueId: string; from: string; refused: Taken['refused'] }
  /**
   * By an earlier run or the other way in, or it came out of a backup in which the queue has it too. `refused`: those of whom
   * nobody may have heard.
   */
  | { kind: 'repeated'; queueId: string; from: string; refused: Taken['refused'] }
  /** Its sender is to hear why. */
  | { kind: 'refused'; because: Refusal; from: string; why: string };

/** Rejects with the store's error: it may be taken later. */
export async function takeHanded(parts: IntakeParts, handed: Handed): Promise<Intake> {
  const queueId = idOf(handed.name, handed.uid, parts.clock.now());
  const { store } = parts;
  if (await isKnown(store, queueId))
    return { kind: 'repeated', queueId, ...(await findRefusals(store, queueId)) };
  const identity = await identify(handed.uid, parts.config.sendmail.trusted);
  const own = { localPart: identity.user, domain: ownDomain(parts.config) };
  const letter = await compose(parts, handed, { identity, own });
  const refused = ({ because, why }: Unsendable): Intake => ({
    ...{ kind: 'refused', because, why, from: formatAddress(own) },
  });
  if ('because' in letter) return refused(letter);
  try {
    const { from } = letter;
    const refusing = (some: Taken['refused']) =>
      noteRefusals(store, queueId, { value: { from, refused: some }, now: parts.clock.now() });
    const taken = await handIn({ ...parts, nextQueueId: () => queueId, refusing }, letter);
    return { kind: 'taken', queueId, from, refused: taken.refused };
  } catch (error) {
    if (!(error instanceof HandInError)) throw error;
    await forgetRefusals(store, queueId); // nobody has it: that is told
    return refused({ because: error.because, why: error.message });
  }
}

/** What is wrong with a message; `why` is a sentence for people. */
interface Unsendable {
  because: Refusal;
  why: string;
}

/** With an envelope and a From, both of addresses that the user may write in the name of. */
async function compose(
  parts: IntakeParts,
  { envelope, content: written, isTooLong }: Handed,
  { identity, own }: { identity: Identity; own: Address },
): Promise<HandedIn | Unsendable> {
  const { messageBytes } = parts.config.limits;
  if (isTooLong || written.length > messageBytes)
    return {
      because: 'message',
      why: `it is longer than ${messageBytes} octets: [limits] messageBytes`,
    };
  // As the queue will have it: no field may hide behind a bare CR.
  const content = qualifyFields(withCrlf(written), own.domain);
  const sender = envelope.from === undefined ? own : qualified(envelope.from, own.domain);
  if (envelope.from && sender === undefined)
    return { because: 'address', why: `"${envelope.from}" is no address to send from` };
  const authors = authorsOf(content);
  if (authors === undefined) return { because: 'message', why: 'its From or Sender cannot be read' };
  const foreign = [...(sender ? [sender] : []), ...authors].find(
    (address) => !maySendAs(parts, identity, address, own.domain),
  );
  if (foreign !== undefined) return { because: 'sender', why: forbidden(identity, foreign) };
  const recipients = await resolvable(parts, envelope.recipients, own.domain);
  if (typeof recipients === 'string') return { because: 'address', why: recipients };
  const from = sender === undefined ? '' : formatAddress(sender);
  if (authors.length > 0) return { from, recipients, content };
  const field = Buffer.from(`From: ${fromField(sender ?? own, envelope.fullName)}\r\n`);
  return { from, recipients, content: Buffer.concat([field, content]) };
}

function maySendAs(
  { config, directory, hostname }: IntakeParts,
  identity: Identity,
  address: Address,
  domain: string,
): boolean {
  const isOurs = directory.isLocal(address.domain) || address.domain === hostname;
  const { senders } = config.sendmail;
  return isOurs && mayUse(identity, address, { senders, ownDomains: [domain, hostname] });
}

const forbidden = ({ user }: Identity, address: Address): string =>
  `user ${user} of this machine may not send as ${formatAddress(address)}. ` +
  `To allow it: [sendmail] senders = [{ user = "${user}", as = ["${addressKey(address)}"] }]`;

/** How far a clock may have been set back between two looks at the same file. */
const clockMs = 24 * 3600_000;

/** Time-ordered like every id; of the same file always the same. Of one from far in the future, as nobody writes it, it is not. */
function idOf(name: string, uid: number, now: number): string {
  const digest = createHash('sha256').update(`${uid}:${name}`).digest();
  const at = handedInAt(name);
  return encodeId(at > now + clockMs ? now : at, digest.readUInt32BE());
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

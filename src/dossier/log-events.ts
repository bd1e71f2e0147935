/**
 * Events as lines of the log: one each, with the queue id, in a form to search for. The dialogue and what DNS said stay
 * in the dossier; steps on the way are told at level debug, what an administrator must look at as an error.
 */

import type { EventRow } from '../store/event-store.ts';
import type { Log } from '../util/log.ts';

/** What a line keeps of an event's data. */
const loggedFields: Record<string, readonly string[]> = {
  accepted: ['via', 'from', 'to', 'sizeBytes', 'client', 'account', 'messageId'],
  checked: ['spf', 'dkim', 'dmarc', 'decision'],
  judged: ['policy', 'disposition', 'folder', 'score'],
  filtered: ['decision', 'rule'],
  repeated: ['client'],
  redirected: ['from'],
  delivered: ['endpoint', 'folder', 'program', 'reply'],
  deferred: ['status', 'reason', 'phase', 'attempts', 'nextAttemptAt', 'endpoint'],
  failed: ['status', 'reason', 'phase', 'rule', 'endpoint'],
  inDoubt: ['reason', 'phase', 'lostReplies', 'nextAttemptAt', 'endpoint'],
  reported: ['to', 'kind', 'report'],
};

const details: Record<string, readonly string[]> = {
  signed: ['domain', 'selector'],
  routed: ['domain', 'hosts', 'transport'],
  ran: ['command', 'end', 'durationMs'],
  attempted: ['endpoint', 'reused', 'tls', 'error'],
};

const notLoggedIn = 'we cannot log in to a relay: look at user and passwordFile of its [[transport]]';

/** Recipients named in one line. */
const maxListed = 20;

const damagedCopy =
  'our own copy of the message is damaged; stop the server and look at the disk by posthorn store check';

export function logEvents(log: Log, events: readonly EventRow[]): void {
  for (const event of events) {
    const fields = loggedFields[event.event];
    if (fields && event.data.copyIsDamaged === true)
      log.error(lineOf(event, fields), `${event.event}: ${damagedCopy}`);
    else if (fields && event.event === 'deferred' && event.data.phase === 'authenticating')
      log.error(lineOf(event, fields), `deferred: ${notLoggedIn}`);
    else if (fields) log.info(lineOf(event, fields), event.event);
    else if (log.isLevelEnabled('debug')) log.debug(lineOf(event, details[event.event] ?? []), event.event);
  }
}

function lineOf({ queueId, recipient, data }: EventRow, fields: readonly string[]): Record<string, unknown> {
  const line: Record<string, unknown> = { queueId };
  if (recipient !== undefined) line.recipient = recipient;
  for (const field of fields) {
    const value = data[field];
    if (value !== undefined) line[field] = Array.isArray(value) ? value.slice(0, maxListed) : value;
  }
  return line;
}

/** Events as they are stored: those of one message that are written together are one entry, one row. */

import type { EventRow } from '../event-store.ts';
import type { NewMessage } from '../queue-store.ts';
import type { EntryTuple, EventTuple } from './protocol.ts';

/** Fields of an event's data that hold addresses or a Message-ID by which a dossier is found. */
const keyFields = ['from', 'to', 'messageId'];

/** The form in which addresses and Message-IDs are compared. */
export const searchKey = (text: string): string => text.toLowerCase().normalize('NFC');

/** One entry per message, in the order of their first event. */
export function entriesOf(events: readonly EventRow[]): EntryTuple[] {
  return perMessage(events).map((own) => entry(own, distinctKeys(own.flatMap(keysOf))));
}

/** As entriesOf(), for the events that come with a new message: found by its sender and recipients too. */
export function entriesOfMessage({ events, message, jobs, sentFromHere }: NewMessage): EntryTuple[] {
  const recipients = jobs.flatMap((job) => [job.recipient, job.originalRecipient ?? '']);
  const keys = [message.reversePath, message.messageId ?? '', ...recipients];
  const [first, ...others] = perMessage(events).map((own) =>
    entry(own, distinctKeys([...keys, ...own.flatMap(keysOf)])),
  );
  if (first === undefined) return [];
  if (sentFromHere && message.messageId !== undefined) first.push(searchKey(message.messageId));
  return [first, ...others];
}

/** As entriesOf(), for the events of an attempt: their recipients are keys since the message was accepted. */
export function entriesOfAttempt(events: EventRow[]): EntryTuple[] {
  return perMessage(events).map((own) => entry(own, []));
}

/** The events of one stored entry. */
export function eventsOf(queueId: string, data: string): EventRow[] {
  // What is parsed here was written by entry(), from the same type.
  return (JSON.parse(data) as EventTuple[]).map(([at, event, fields, recipient]) => ({
    at,
    queueId,
    ...(recipient !== undefined && { recipient }),
    event,
    data: fields,
  }));
}

type Some<T> = [T, ...T[]];

function perMessage(events: readonly EventRow[]): Some<EventRow>[] {
  const groups = new Map<string, Some<EventRow>>();
  for (const event of events) {
    const own = groups.get(event.queueId);
    if (own === undefined) groups.set(event.queueId, [event]);
    else own.push(event);
  }
  return [...groups.values()];
}

function entry(events: Some<EventRow>, keys: string[]): EntryTuple {
  const tuples = events.map(
    ({ at, event, data, recipient }): EventTuple =>
      recipient === undefined ? [at, event, data] : [at, event, data, recipient],
  );
  const lastAt = Math.max(...events.map(({ at }) => at));
  return [events[0].queueId, lastAt, JSON.stringify(tuples), keys];
}

function keysOf({ recipient, data }: EventRow): string[] {
  const values = keyFields.flatMap((field) => data[field] ?? []);
  return [recipient ?? '', ...values.filter((value) => typeof value === 'string')];
}

function distinctKeys(keys: string[]): string[] {
  return [...new Set(keys.map(searchKey))].filter((key) => key !== '');
}

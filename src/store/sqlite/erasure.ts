/**
 * Erasing an account's address from the dossiers. What was recorded about the account's own sending and receiving goes;
 * of messages that others received too, their part stays, with the address struck out of what they share.
 */

import type { Database } from 'better-sqlite3';
import type { EventRow } from '../event-store.ts';
import { eventsOf, searchKey } from './entries.ts';
import type { EventLog } from './event-log.ts';
import type { EventTuple, Operations } from './protocol.ts';

/** Messages after which a step ends at the next group of keys. */
const stepMessages = 200;
/** Groups of keys that one step looks into. */
const stepBuckets = 1000;

/** What stands where an erased address stood. */
const erased = 'erased';

type Entry = [id: number, data: string];

export function createErasure(database: Database, log: EventLog): Operations['eraseAddress'] {
  const eraseFrom = createMessageErasure(database);

  return ({ address, bucket }) => {
    if (bucket === undefined) log.groupKeys();
    const range = log.buckets();
    if (range === undefined) return undefined;
    const newest = bucket ?? range.newest;
    let messages = 0;
    for (let group = newest; group >= range.oldest; group--) {
      if (messages >= stepMessages || newest - group >= stepBuckets) return group;
      for (const queueId of new Set(log.keys.messagesBy(group, address))) {
        eraseFrom(queueId, address);
        messages += 1;
      }
      log.keys.remove(group, address);
    }
    return undefined;
  };
}

function createMessageErasure(database: Database): (queueId: string, address: string) => void {
  const entriesOf = database.prepare<[string], Entry>('SELECT id, data FROM events WHERE queue_id = ?').raw();
  const isAccount = database.prepare<[string], number>('SELECT 1 FROM accounts WHERE address = ?').pluck();
  const removeEntry = database.prepare('DELETE FROM events WHERE id = ?');
  const rewriteEntry = database.prepare('UPDATE events SET data = ? WHERE id = ?');

  return (queueId, address) => {
    const entries = entriesOf.all(queueId).map(([id, data]) => ({ id, events: eventsOf(queueId, data) }));
    const all = entries.flatMap(({ events }) => events);
    const recipients = new Set(
      all.flatMap(({ recipient }) => (recipient === undefined ? [] : [searchKey(recipient)])),
    );
    // Of what the account sent, only local recipients have a part of their own.
    const keeps = (recipient: string) =>
      recipient !== address && (!isSentBy(address, all) || isAccount.get(recipient) === 1);
    const gone = [address, ...[...recipients].filter((recipient) => !keeps(recipient))];
    const someStay = [...recipients].some(keeps);
    for (const { id, events } of entries) {
      const kept = someStay
        ? events.filter(({ recipient }) => recipient === undefined || keeps(searchKey(recipient)))
        : [];
      if (kept.length === 0) removeEntry.run(id);
      else rewriteEntry.run(JSON.stringify(kept.map((event) => strikeOut(event, gone))), id);
    }
  };
}

function isSentBy(address: string, events: EventRow[]): boolean {
  return events.some(({ data }) => [data.account, data.from].some((by) => isAddress(by, address)));
}

const isAddress = (value: unknown, address: string): boolean =>
  typeof value === 'string' && searchKey(value) === address;

/** The event without the addresses: lines and list items that mention one go, single values become `erased`. */
function strikeOut({ at, event, data, recipient }: EventRow, addresses: string[]): EventTuple {
  const patterns = addresses.map(mentionOf);
  const mentions = (value: unknown): boolean => {
    const text = searchKey(JSON.stringify(value) ?? '');
    return patterns.some((pattern) => pattern.test(text));
  };
  const strike = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.filter((item) => !mentions(item));
    if (typeof value === 'object' && value !== null) return strikeFields(value);
    return mentions(value) ? erased : value;
  };
  const strikeFields = (fields: object): Record<string, unknown> =>
    Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, strike(value)]));
  const rest = strikeFields(data);
  return recipient === undefined ? [at, event, rest] : [at, event, rest, recipient];
}

/** Finds the address, but not as the end or the beginning of a longer one. */
function mentionOf(address: string): RegExp {
  const literal = address.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  return new RegExp(`(?<![\\p{L}\\p{N}._+-])${literal}(?![\\p{L}\\p{N}-]|\\.[\\p{L}\\p{N}])`, 'u');
}

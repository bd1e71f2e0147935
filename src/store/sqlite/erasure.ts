/**
 * Erasing an account's address from the dossiers. What was recorded about the account's own sending and receiving goes;
 * of messages that others received too, their part stays, with the address struck out of what they share. A report of abuse,
 * or one that nobody could read, goes where it names the address, or a subaddress: it is about one message.
 */

import type { Database } from 'better-sqlite3';
import { tagSeparators } from '../../mail/subaddress.ts';
import type { EventRow } from '../event-store.ts';
import { eventsOf, searchKey } from './entries.ts';
import { bucketOf } from './event-keys.ts';
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
  const eraseFrom = createMessageErasure(database, log.keys);
  const eraseReports = createReportErasure(database);

  return ({ address, bucket }) => {
    if (bucket === undefined) {
      eraseReports(address);
      log.groupKeys();
    }
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

function createMessageErasure(
  database: Database,
  keys: Pick<EventLog['keys'], 'remove'>,
): (queueId: string, address: string) => void {
  const entriesOf = database.prepare<[string], Entry>('SELECT id, data FROM events WHERE queue_id = ?').raw();
  const isAccount = database.prepare<[string], number>('SELECT 1 FROM accounts WHERE address = ?').pluck();
  const subaddressesIn = createSubaddressSearch(database);
  const removeEntry = database.prepare('DELETE FROM events WHERE id = ?');
  const rewriteEntry = database.prepare('UPDATE events SET data = ? WHERE id = ?');

  return (queueId, address) => {
    const entries = entriesOf.all(queueId).map(([id, data]) => ({ id, events: eventsOf(queueId, data) }));
    const all = entries.flatMap(({ events }) => events);
    const forms = subaddressesIn(JSON.stringify(all), address);
    const recipients = new Set(
      all.flatMap(({ recipient }) => (recipient === undefined ? [] : [searchKey(recipient)])),
    );
    // Of what the account sent, only local recipients have a part of their own.
    const keeps = (recipient: string) =>
      recipient !== address &&
      !forms.includes(recipient) &&
      (!isSentBy(address, all) || isAccount.get(recipient) === 1);
    const gone = [address, ...forms, ...[...recipients].filter((recipient) => !keeps(recipient))];
    const someStay = [...recipients].some(keeps);
    for (const { id, events } of entries) {
      const kept = someStay
        ? events.filter(({ recipient }) => recipient === undefined || keeps(searchKey(recipient)))
        : [];
      if (kept.length === 0) removeEntry.run(id);
      else rewriteEntry.run(JSON.stringify(kept.map((event) => strikeOut(event, gone))), id);
      for (const form of forms) keys.remove(bucketOf(id), form);
    }
  };
}

const separators = tagSeparators.replace('-', '\\-');

/** Octets of a local part at most (RFC 5321 §4.5.3.1.1). */
const maxTag = 64;

/** Finds addresses that are the account's with a tag (RFC 5233). */
function createSubaddressSearch(database: Database): (text: string, address: string) => string[] {
  const isAccount = database.prepare<[string], number>('SELECT 1 FROM accounts WHERE address = ?').pluck();
  const isAlias = database.prepare<[string], number>('SELECT 1 FROM aliases WHERE address = ?').pluck();
  return (text, address) => {
    const [user, domain] = [literal(userOf(address)), literal(domainOf(address))];
    const pattern = `${user}[${separators}][^\\s<>()\\[\\]:;@\\\\,"]{0,${maxTag}}@${domain}`;
    const forms = new Set(searchKey(text).match(bounded(pattern, 'gu')));
    // What separates a tag is the domain's to say; what might be one, and is nobody's address, is one here.
    return [...forms].filter((form) => isAccount.get(form) !== 1 && isAlias.get(form) !== 1);
  };
}

const userOf = (address: string): string => address.slice(0, address.lastIndexOf('@'));
const domainOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1);

function createReportErasure(database: Database): (address: string) => void {
  // Letters that are not ASCII have no lower case there: they are compared below.
  const inDomain = database
    .prepare<[string], Entry>(
      `SELECT id, data FROM reports WHERE kind IN ('abuse', 'unreadable') AND instr(lower(data), ?) > 0`,
    )
    .raw();
  const subaddressesIn = createSubaddressSearch(database);
  const remove = database.prepare('DELETE FROM reports WHERE id = ?');
  return (address) => {
    const mention = mentionOf(address);
    const naming: number[] = [];
    // One at a time: there may be many, and large ones.
    for (const [id, data] of inDomain.iterate(`@${domainOf(address)}`))
      if (mention.test(searchKey(data)) || subaddressesIn(data, address).length > 0) naming.push(id);
    for (const id of naming) remove.run(id);
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
const mentionOf = (address: string): RegExp => bounded(literal(address), 'u');

const bounded = (pattern: string, flags: string): RegExp =>
  new RegExp(`(?<![\\p{L}\\p{N}._+-])${pattern}(?![\\p{L}\\p{N}-]|\\.[\\p{L}\\p{N}])`, flags);

const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

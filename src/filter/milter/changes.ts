/**
 * What becomes of the changes that filters ask for. Octets that were received stay as they are, so that signatures hold and
 * nobody wonders who wrote them: we prepend only. Fields that a filter adds or inserts are put in front; all else is not
 * done, and said. A filter sees and may change the fields that filters have added before.
 */

import { type AddedField, addedField, fieldBytes } from '../added-fields.ts';
import { bounded, FilterError } from '../stream.ts';
import type { MilterChange } from './answers.ts';

/** Changes by one filter to one message. */
const maxChanges = 1000;
/** Octets of the fields that filters add to one message. */
export const maxAddedBytes = 65_536;
/** Of each kind that are told. */
const maxTold = 10;

export interface Changes {
  /** In front of the message, in this order: those of earlier filters too. */
  fields: AddedField[];
  /** Octets of them. */
  bytes: number;
  /** How many fields came with the message, by their names in lower-case. */
  received: ReadonlyMap<string, number>;
  /** Asked for so far; a body that comes in pieces counts as one. */
  count: number;
  /** Names of the fields that this filter has added. */
  added: string[];
  notDone: string[];
  quarantine?: string;
  wantsOtherBody: boolean;
}

/** `received` are the names of the fields that came with the message. */
export function noChanges(fields: readonly AddedField[], received: readonly string[] = []): Changes {
  const counts = new Map<string, number>();
  for (const name of received) counts.set(name.toLowerCase(), (counts.get(name.toLowerCase()) ?? 0) + 1);
  return {
    fields: [...fields],
    bytes: fields.reduce((sum, field) => sum + fieldBytes(field), 0),
    received: counts,
    count: 0,
    added: [],
    notDone: [],
    wantsOtherBody: false,
  };
}

/**
 * Applies one change, or notes that it is not done. Throws a FilterError for fields that are none or too many, and for too
 * many changes.
 */
export function apply(changes: Changes, asked: MilterChange): void {
  if (asked.change !== 'replaceBody' || !changes.wantsOtherBody) changes.count += 1;
  if (changes.count > maxChanges)
    throw new FilterError('lied', `it asks for more than ${maxChanges} changes`);
  switch (asked.change) {
    case 'addField':
      return add(changes, changes.fields.length, asked);
    case 'insertField':
      return add(changes, Math.max(0, asked.index - 1), asked);
    case 'changeField':
      return changeField(changes, asked);
    case 'quarantine':
      changes.quarantine = asked.reason || 'no reason was given';
      return;
    case 'replaceBody':
      if (!changes.wantsOtherBody) notDone(changes, 'replace the body');
      changes.wantsOtherBody = true;
      return;
    case 'changeSender':
      return notDone(changes, `change the sender to ${asked.address}`);
    case 'addRecipient':
      return notDone(changes, `add the recipient ${asked.address}`);
    case 'deleteRecipient':
      return notDone(changes, `remove the recipient ${asked.address}`);
  }
}

function add(changes: Changes, place: number, { name, value }: AddedField): void {
  const field = addedField(name, value);
  changes.bytes += fieldBytes(field);
  if (changes.bytes > maxAddedBytes)
    throw new FilterError('lied', `it adds more than ${maxAddedBytes} octets of header fields`);
  changes.fields.splice(place, 0, field);
  tell(changes.added, bounded(name, 60));
}

/**
 * The first of a name has the index 1. What filters have added comes first of all, and is ours to change. One more than there
 * are is a new field (smfi_chgheader).
 */
function changeField(changes: Changes, { name, index, value }: AddedField & { index: number }): void {
  const wanted = name.toLowerCase();
  const places = changes.fields.flatMap((field, place) =>
    field.name.toLowerCase() === wanted ? [place] : [],
  );
  const place = places[Math.max(0, index - 1)];
  const count = places.length + (changes.received.get(wanted) ?? 0);
  if (place !== undefined) {
    for (const field of changes.fields.splice(place, 1)) changes.bytes -= fieldBytes(field);
    if (value !== '') add(changes, place, { name, value });
  } else if (index <= count) {
    notDone(
      changes,
      `${value === '' ? 'remove' : 'change'} the header field ${bounded(name, 60)} (number ${index})`,
    );
  } else if (value !== '') add(changes, changes.fields.length, { name, value });
}

function notDone(changes: Changes, what: string): void {
  tell(changes.notDone, what);
}

function tell(list: string[], what: string): void {
  if (list.length <= maxTold) list.push(list.length < maxTold ? what : 'and more');
}

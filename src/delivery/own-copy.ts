/**
 * The message as this server's own disk has it. What is wrong with it is no fault of the receiver, who is not bothered
 * with it; nor of the sender, so that nothing is final: a disk may read again what it could not.
 */

import { findTrouble } from '../store/content.ts';
import { DamagedContentError } from '../store/errors.ts';
import type { Content } from '../store/message.ts';
import type { Outcome, Trouble } from './outcome.ts';

const phase = 'reading our copy of the message';

/** Looks before a receiver is called. Undefined where nothing is wrong, as far as that can be known by now. */
export async function findCopyTrouble(content: Content): Promise<Outcome | undefined> {
  const error = await findTrouble(content);
  return error && { kind: 'deferred', phase, reason: error.message, ...copyTrouble(error) };
}

/** Of a copy that is known to be damaged. */
export const damagedCopy = (reason: string): Outcome => ({ kind: 'deferred', phase, reason, ...damaged });

const damaged = {
  status: '4.3.0',
  rule: 'our own copy of the message is damaged: tried again, in case the disk can read it later',
  copyIsDamaged: true,
} as const;

/** What follows from an error of reading it. */
export function copyTrouble(error: unknown): Pick<Trouble, 'status' | 'rule' | 'copyIsDamaged'> {
  if (error instanceof DamagedContentError) return damaged;
  return { status: '4.3.0', rule: 'our own copy of the message cannot be read: try again later' };
}

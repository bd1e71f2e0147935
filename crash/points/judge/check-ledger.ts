/**
 * Whether the ledger understood what was said: it must know at least what the script knows of itself. A reply that
 * it no longer recognises would be a promise that nobody holds the server to.
 */

import { missing } from '../../../e2e/tally.ts';
import { isFileRecord } from '../../recorder/log.ts';
import type { Recording } from '../recording.ts';
import { fateOf } from '../script/letters.ts';
import { errand, Ledger } from './ledger.ts';

type Played = Pick<Recording, 'scene' | 'ports' | 'known' | 'records'>;

/** Throws with what the ledger has missed by the end of the recording. */
export function checkLedger({ scene, ports, known, records }: Played): void {
  const ledger = new Ledger(ports);
  for (const record of records) if (!isFileRecord(record)) ledger.follow(record);
  if (known.acknowledged.length === 0)
    throw new Error(`Scene "${scene}": no message was acknowledged, so nothing is promised`);
  const taken = known.taken.flatMap(({ token, recipients }) => recipients.map((each) => errand(token, each)));
  const told = ledger.told.filter(
    ({ event, recipient }) => event === 'delivered' && fateOf(recipient) === 'remote',
  );
  const missed = [
    ...missing(known.acknowledged, ledger.acknowledged.keys()).map((token) => `the 250 to ${token}`),
    ...missing(known.accounts, ledger.accounts).map((address) => `the account ${address}`),
    ...missing(known.deleted, ledger.deleted).map((token) => `the deletion of ${token}`),
    ...missing(taken, ledger.relayed.keys()).map((key) => `the reply to ${key}`),
    ...(told.length < taken.length ? [`${taken.length - told.length} deliveries in the log`] : []),
  ];
  if (missed.length > 0)
    throw new Error(
      `Scene "${scene}": the ledger has missed what was said, and would not see it broken: ` +
        `${missed.slice(0, 3).join(', ')} (${missed.length} in all)`,
    );
}

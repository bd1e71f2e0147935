/** New messages and settlements as the tuples that cross to the store thread. */

import type { Arena } from '../arena.ts';
import type { JobResult, NewMessage, Settlement } from '../queue-store.ts';
import { entriesOfAttempt, entriesOfMessage } from './entries.ts';
import type { AcceptTuple, ResultTuple, SettleTuple } from './protocol.ts';
import { jobTuple, json, messageTuple } from './rows.ts';

/** The message's octets are copied into `arena`. */
export function acceptTuple(entry: NewMessage, arena: Arena): AcceptTuple {
  const { message, jobs, claimed } = entry;
  return [messageTuple(message, arena), jobs.map(jobTuple), claimed, entriesOfMessage(entry)];
}

/** The octets of the reports are copied into `arena`. */
export function settleTuple(settlement: Settlement, arena: Arena): SettleTuple {
  const { queueId, results, events, reports, holdUntil } = settlement;
  return [
    queueId,
    results.map(resultTuple),
    entriesOfAttempt(events),
    reports.map((report) => acceptTuple(report, arena)),
    holdUntil ?? null,
  ];
}

function resultTuple(result: JobResult): ResultTuple {
  if (result.result === 'done') return [result.number, null, null, null, 1];
  const { number, nextAttemptAt, lastError, memo, untried, returned } = result;
  const tuple: ResultTuple = [number, nextAttemptAt, lastError, json(memo), untried ? 0 : 1];
  if (returned) tuple.push(returned);
  return tuple;
}

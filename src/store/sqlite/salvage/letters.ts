/**
 * Decides what becomes of each message of which something is left: which of its rows counts, whether it is whole, and to
 * whom it still has to go.
 */

import { crc32 } from 'node:zlib';
import type { SqlRecord } from '../pages/record.ts';
import type { JobTuple, MessageTuple } from '../rows.ts';
import { jobOf, messageOf } from './rows.ts';
import type { Place, Scan, Standing } from './scan.ts';

export interface SalvagedLetter {
  queueId: string;
  /** Absent where nothing of the message is left but the names of its recipients. */
  message?: MessageTuple;
  /** Of a message that is not whole, what there is of its octets. */
  octets: Buffer;
  /** The octets in the database are those that were accepted; those of a spool file are not looked at here. */
  isWhole: boolean;
  jobs: JobTuple[];
  /** What is not sure about it, for people. */
  doubts: string[];
}

const worth: Record<Standing, number> = { sure: 3, likely: 2, unsure: 1, gone: 0 };

/** Messages that were delivered, and of which the disk only has traces, are left out. */
export function* salvageLetters(scan: Scan): Iterable<SalvagedLetter> {
  const { messages, jobs } = scan.places;
  const someJobsLost = mayLackJobs(scan);
  for (const queueId of new Set([...messages.keys(), ...jobs.keys()])) {
    const places = messages.get(queueId) ?? [];
    const open = openJobs(scan, jobs.get(queueId) ?? []);
    if (!isStillThere(places, open, someJobsLost)) continue;
    yield letterOf(scan, queueId, places, open);
  }
}

/** A page is damaged or gone that had recipients, or of which it is not known what it had. */
export function mayLackJobs({ damagedPages, isCut }: Scan): boolean {
  return isCut || [...damagedPages.values()].some((owner) => owner === undefined || owner === 'jobs');
}

interface OpenJob {
  job: JobTuple;
  place: Place;
}

/** A job's row changes with every attempt, but who it goes to does not: a whole page is better than a newer one. */
function openJobs(scan: Scan, places: readonly Place[]): OpenJob[] {
  const byNumber = new Map<number, OpenJob>();
  const bestLast = places
    .filter(({ standing }) => standing !== 'gone')
    .sort((a, b) => Number(a.isWhole) - Number(b.isWhole) || worth[a.standing] - worth[b.standing]);
  for (const place of bestLast) {
    const record = scan.read(place);
    const job = record && jobOf(record);
    if (job !== undefined) byNumber.set(job[1], { job, place });
  }
  return [...byNumber.values()];
}

function isStillThere(places: readonly Place[], open: readonly OpenJob[], someJobsLost: boolean): boolean {
  if (open.length > 0) return true;
  const best = Math.max(...places.map(({ standing }) => worth[standing]));
  // A message's row goes with its last job: where the row is, the jobs were, too.
  return best >= worth.likely || (best === worth.unsure && someJobsLost);
}

function letterOf(
  scan: Scan,
  queueId: string,
  places: readonly Place[],
  open: readonly OpenJob[],
): SalvagedLetter {
  const jobs = open.map(({ job }) => job).sort((a, b) => a[1] - b[1]);
  const doubts = doubtsOf(places, open);
  const records = places
    .toSorted((a, b) => worth[b.standing] - worth[a.standing])
    .flatMap((place) => scan.read(place) ?? []);
  // Octets never change, so that any copy will do that has the right sum, be it from a page that is free by now.
  const whole = records.map(messageOf).find((message) => message !== undefined && isRight(message));
  if (whole !== undefined)
    return { queueId, message: whole, octets: toBuffer(whole[11]), isWhole: true, jobs, doubts };
  const [best] = records;
  const message = best && messageOf(best);
  const octets = message ? toBuffer(message[11]) : partOf(best);
  return { queueId, ...(message && { message }), octets, isWhole: false, jobs, doubts };
}

/** The octets of a row that is cut off in them. */
const partOf = (record: SqlRecord | undefined): Buffer =>
  record?.values.length === 11 && record.cut ? record.cut : Buffer.alloc(0);

function isRight([, , , , , sizeBytes, , , , spool, prefixBytes, octets, octetsSum]: MessageTuple): boolean {
  if (octetsSum !== null) return crc32(octets) === octetsSum;
  return octets.length === (spool === null ? sizeBytes : prefixBytes);
}

const toBuffer = (octets: Uint8Array): Buffer =>
  Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);

function doubtsOf(places: readonly Place[], open: readonly OpenJob[]): string[] {
  const doubts: string[] = [];
  if (open.length === 0) doubts.push('its recipients are not known');
  if (open.some(({ place }) => !place.isWhole))
    doubts.push('the page of its recipients is damaged: look at their addresses');
  const isSure = places.some(({ standing }) => worth[standing] >= worth.likely);
  if (!isSure || open.some(({ place }) => place.standing === 'unsure'))
    doubts.push('it may have been delivered already');
  return doubts;
}

/** This machine: its clock, by which certificates, signatures and retries are judged, and the disk that all mail is written to. */

import { statfs } from 'node:fs/promises';
import { type Finding, found, good } from './finding.ts';

/** Signatures and tokens of others are refused, and certificates misjudged. */
const offMs = 5 * 60_000;
const driftMs = 5_000;

export type TimeTold = { offsetMs: number; by: string } | { error: string };

export function examineClock(told: readonly TimeTold[]): Finding[] {
  const answers = told.filter((each) => 'offsetMs' in each).toSorted((a, b) => a.offsetMs - b.offsetMs);
  // One that is wrong itself is outvoted.
  const median = answers[Math.floor((answers.length - 1) / 2)];
  if (median === undefined) {
    const why = told.map((each) => ('error' in each ? each.error : '')).join('; ');
    return [
      found('clock-unknown', {
        evidence: why === '' ? 'no time server was asked' : why,
        remedy: 'Name one that can be reached: posthorn doctor --time-server HOST.',
      }),
    ];
  }
  const { offsetMs, by } = median;
  const words = `this clock is ${durationWords(offsetMs)}, as ${by} has it`;
  if (Math.abs(offsetMs) < driftMs) return [good('clock', words)];
  return [
    found(Math.abs(offsetMs) > offMs ? 'clock-off' : 'clock-drifts', {
      evidence: words,
      remedy: 'Have it set from the network: timedatectl set-ntp true; in a container, on its host.',
    }),
  ];
}

function durationWords(offsetMs: number): string {
  const seconds = Math.abs(offsetMs) / 1000;
  const amount =
    seconds < 120
      ? `${seconds.toFixed(1)} seconds`
      : seconds < 7200
        ? `${Math.round(seconds / 60)} minutes`
        : `${Math.round(seconds / 3600)} hours`;
  return `${amount} ${offsetMs > 0 ? 'slow' : 'fast'}`;
}

export interface DiskSpace {
  freeBytes: number;
  totalBytes: number;
  freeFiles: number;
  totalFiles: number;
}

/** What an unprivileged program may use. Rejects with the system's error. */
export async function diskSpace(directory: string): Promise<DiskSpace> {
  const { bsize, bavail, blocks, files, ffree } = await statfs(directory);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize, freeFiles: ffree, totalFiles: files };
}

const mebi = 2 ** 20;
/** At the first of the two, the next large message may be the last. */
const full = { bytes: 256 * mebi, part: 0.02 };
const low = { bytes: 2048 * mebi, part: 0.1 };

export function examineDisk(directory: string, space: DiskSpace): Finding[] {
  const { freeBytes, totalBytes, freeFiles, totalFiles } = space;
  const bytes = `${Math.floor(freeBytes / mebi)} MiB of ${Math.floor(totalBytes / mebi)} MiB are free at ${directory}`;
  // Some file systems have no limit of files, and say 0 of 0.
  const parts = [freeBytes / totalBytes, ...(totalFiles > 0 ? [freeFiles / totalFiles] : [])];
  const evidence =
    (parts[1] ?? 1) < (parts[0] ?? 1) ? `${bytes}, and ${freeFiles} of ${totalFiles} files` : bytes;
  const isBelow = (limit: typeof full) => freeBytes < limit.bytes || (parts[1] ?? 1) < limit.part;
  if (isBelow(full))
    return [
      found('disk-full', {
        evidence,
        remedy: 'When it is full no mail is taken in. Make room now: old dossiers, mailboxes, logs.',
      }),
    ];
  if (freeBytes < low.bytes && (parts[0] ?? 1) < low.part)
    return [found('disk-low', { evidence, remedy: 'Make room, or a larger disk, before it is full.' })];
  return [good('disk', evidence)];
}

/** The memory of one process as the kernel counts it, now and at its highest. proc(5). Knows no mail word. */

import { readFileSync, writeFileSync } from 'node:fs';
import { treePssBytes } from './measure.ts';

export interface Memory {
  /** Resident set size: every page that is in memory, shared ones too. */
  rssBytes: number;
  /** Proportional set size: shared pages by their share. */
  pssBytes: number;
}

export function memoryOf(pid: number): Memory {
  return { rssBytes: statusBytes(pid, 'VmRSS'), pssBytes: treePssBytes(pid) };
}

/** The kernel keeps the peak of the RSS itself; the PSS it adds up anew at each look, which takes milliseconds. */
const pssEveryMs = 100;

/** The highest while `action` runs, with its result. The RSS is exact; the PSS is that of ten looks a second. */
export async function withPeakMemory<T>(
  pid: number,
  action: () => Promise<T>,
): Promise<{ result: T; peak: Memory }> {
  let pssBytes = treePssBytes(pid);
  const look = () => {
    pssBytes = Math.max(pssBytes, treePssBytes(pid));
  };
  writeFileSync(`/proc/${pid}/clear_refs`, '5'); // begins the peak anew
  const timer = setInterval(look, pssEveryMs);
  try {
    const result = await action();
    look();
    return { result, peak: { rssBytes: statusBytes(pid, 'VmHWM'), pssBytes } };
  } finally {
    clearInterval(timer);
  }
}

function statusBytes(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(
    readFileSync(`/proc/${pid}/status`, 'utf8'),
  );
  if (kilobytes === null) throw new Error(`/proc/${pid}/status says nothing of ${field}`);
  return Number(kilobytes[1]) * 1024;
}

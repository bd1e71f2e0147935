/** How much a process grows while something happens to it. proc(5). */

import { readFileSync } from 'node:fs';

const everyMs = 50;

/** Resident memory of a process in bytes; 0 once it is gone. */
export function residentBytes(pid: number): number {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kilobytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}

export interface MemoryWatch extends AsyncDisposable {
  /** Highest value so far minus the first, in bytes. */
  growth(): number;
}

export function watchMemory(pid: number): MemoryWatch {
  const first = residentBytes(pid);
  let highest = first;
  const timer = setInterval(() => {
    highest = Math.max(highest, residentBytes(pid));
  }, everyMs);
  return {
    growth: () => highest - first,
    [Symbol.asyncDispose]: async () => clearInterval(timer),
  };
}

/** CPU time and memory of a tree of processes, as the kernel counts them. proc(5). Knows no mail word. */

import { readdirSync, readFileSync } from 'node:fs';

/** Fields of /proc/PID/stat are in clock ticks of this length, on every Linux that Node runs on. */
const msPerTick = 10;

interface Stat {
  pid: number;
  parent: number;
  /** User and system time, its own and that of its children that have ended and been waited for. */
  cpuMs: number;
}

function readStat(pid: number): Stat | undefined {
  const text = readProc(pid, 'stat');
  if (text === undefined) return undefined;
  // The command's name stands in parentheses and may contain anything; the numbers begin behind it.
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [utime = 0, stime = 0, cutime = 0, cstime = 0] = fields.slice(11, 15);
  return { pid, parent: fields[1] ?? 0, cpuMs: (utime + stime + cutime + cstime) * msPerTick };
}

/** A file of /proc, or undefined when the process has gone. */
function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}

/** The living processes of the tree, the root first. */
function treeOf(root: number): Stat[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readStat(Number(name)))
    .filter((stat) => stat !== undefined);
  const children = Map.groupBy(all, ({ parent }) => parent);
  const found = all.filter(({ pid }) => pid === root);
  for (const { pid } of found) found.push(...(children.get(pid) ?? []));
  return found;
}

/**
 * CPU time of a tree since its beginning, milliseconds. What a process has used is not lost when it ends, as its
 * parent inherits the figure: that counts Postfix's short-lived children too.
 */
export function treeCpuMs(root: number): number {
  return treeOf(root).reduce((sum, { cpuMs }) => sum + cpuMs, 0);
}

/** Proportional set size of a tree, bytes: pages that are shared are counted once in all. */
export function treePssBytes(root: number): number {
  const kilobytes = treeOf(root).map(
    ({ pid }) => /^Pss:\s+(\d+)/m.exec(readProc(pid, 'smaps_rollup') ?? '')?.[1],
  );
  return kilobytes.reduce((sum, each) => sum + Number(each ?? 0) * 1024, 0);
}

/** Seldom enough not to be felt: one look at a Postfix of sixty processes takes some milliseconds of CPU. */
const sampleEveryMs = 500;

/** The highest PSS of a tree while `action` runs, with its result. */
export async function withPeakPss<T>(
  root: number,
  action: () => Promise<T>,
): Promise<{ result: T; peakBytes: number }> {
  let peakBytes = treePssBytes(root);
  const look = () => {
    peakBytes = Math.max(peakBytes, treePssBytes(root));
  };
  const timer = setInterval(look, sampleEveryMs);
  try {
    const result = await action();
    look();
    return { result, peakBytes };
  } finally {
    clearInterval(timer);
  }
}

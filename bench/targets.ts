/** What is asked of a figure, and whether it was reached: the table's "must reach" and "aim for". */

import type { Target } from './bench.ts';
import { formatTable } from './table.ts';

interface Asked {
  must: number;
  aim?: number;
  /** Shown behind each number: ` MiB`. */
  unit?: string;
}

/** A figure that is good when it is high. */
export function atLeast(what: string, measured: number, asked: Asked): Target {
  return target('≥', what, measured, asked, measured >= asked.must);
}

/** A figure that is good when it is low. */
export function atMost(what: string, measured: number, asked: Asked): Target {
  return target('≤', what, measured, asked, measured <= asked.must);
}

function target(sign: string, what: string, measured: number, asked: Asked, met: boolean): Target {
  const { must, aim, unit = '' } = asked;
  const show = (value: number) => `${brief(value)}${unit}`;
  return {
    what,
    must: `${sign} ${show(must)}`,
    ...(aim === undefined ? {} : { aim: `${sign} ${show(aim)}` }),
    measured: show(measured),
    met,
  };
}

/** Three digits, and no zeros at the end: `0.333`, `4.21`, `130`, `1160`. */
export function brief(value: number): string {
  if (Math.abs(value) >= 100) return String(Math.round(value));
  return String(Number(value.toPrecision(3)));
}

export function targetTable(targets: readonly Target[]): string {
  const rows = targets.map(({ what, must, aim = '', measured, met }) => [
    what,
    must,
    aim,
    measured,
    met ? 'met' : 'NOT met',
  ]);
  return formatTable(['', 'must reach', 'aim for', 'measured', ''], rows);
}

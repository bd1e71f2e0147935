/** Lengths of time as options give them: `90s`, `30m`, `2h`, `5d`, `1w`. */

import { InvalidArgumentError } from 'commander';

const unitsMs: Record<string, number> = {
  s: 1000,
  m: 60_000,
  h: 3600_000,
  d: 24 * 3600_000,
  w: 7 * 24 * 3600_000,
};

/** In milliseconds. */
export function duration(text: string): number {
  const [, count, unit = ''] = /^(\d{1,6})([smhdw])$/.exec(text) ?? [];
  const unitMs = unitsMs[unit];
  if (count !== undefined && unitMs !== undefined) {
    if (Number(count) > 0) return Number(count) * unitMs;
    throw new InvalidArgumentError(
      'That is no time at all. Give a longer one, such as 90s, 30m, 2h, 5d or 1w.',
    );
  }
  throw new InvalidArgumentError('Give a number and a unit, such as 90s, 30m, 2h, 5d or 1w.');
}

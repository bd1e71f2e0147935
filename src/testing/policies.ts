/** Policies for tests, written as short as can be. */

import { readCondition } from '../policy/conditions.ts';
import type { Action, Check, Policy } from '../policy/policy.ts';

export type Row = readonly [when: string, then: Action, score?: number];

export const checksOf = (rows: readonly Row[]): Check[] =>
  rows.map(([text, then, score = 0]) => {
    const when = readCondition(text);
    if ('problem' in when) throw new TypeError(when.problem);
    return { when, then, score };
  });

/** The only policy there is, in the place of the built-in one. */
export const policyOf = (rows: readonly Row[], more: Partial<Policy> = {}): Policy => ({
  name: 'default',
  junkAt: 5,
  ...more,
  checks: checksOf(rows),
});

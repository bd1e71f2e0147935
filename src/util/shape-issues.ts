/** What is wrong with data that should have a certain shape, in words. */

import * as v from 'valibot';

/** By path, without what stands there: that may be a secret, or no text for a terminal. */
export function describeIssues(issues: readonly v.BaseIssue<unknown>[]): string {
  return issues.map(describe).join('; ');
}

function describe(issue: v.BaseIssue<unknown>): string {
  const place = v.getDotPath(issue) ?? 'the whole';
  // Where a key is missing, valibot expects the key itself.
  if (issue.input === undefined) return `${place} is missing`;
  return `${place} should be ${issue.expected ?? 'something else'}`;
}

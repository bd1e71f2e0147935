/**
 * `[[policy]]` tables: what they come to, and what must agree in them. The built-in checks stand around a
 * policy's own, so that a table with one line is a whole policy.
 */

import { defaultJunkAt, defaultPolicy, type Policy, withBuiltIn } from '../policy/policy.ts';
import type { Draft, Finding } from './draft.ts';
import type { FileContent } from './schema.ts';

export type PolicyInput = FileContent['policy'][number];

export function completePolicy({ checks, builtin, junkAt = defaultJunkAt, ...rest }: PolicyInput): Policy {
  const own = checks.map(({ when, then, score = 0 }) => ({ when, then, score }));
  return { ...rest, junkAt, checks: builtin ? withBuiltIn(own) : own };
}

/** Scores stand where they count, names are given once, and whoever names a policy finds it. */
export function checkPolicies({ policies, domains }: Draft): Finding[] {
  const scores = policies.flatMap(({ checks = [] }, index) =>
    checks.flatMap(({ then, score, unread = [] }, at) => {
      const path = ['policy', index, 'checks', at];
      if (then === undefined || unread.includes('score')) return [];
      if (then === 'score' && score === undefined)
        return [{ path, what: 'it scores, and does not say how much', remedy: 'Add score = 2, say.' }];
      if (then !== 'score' && score !== undefined)
        return [
          { path, what: `"${then}" has no score`, remedy: 'Remove the score, or write then = "score".' },
        ];
      return [];
    }),
  );
  const limits = policies.flatMap(({ junkAt = defaultJunkAt, rejectAt }, index) =>
    rejectAt === undefined || rejectAt > junkAt
      ? []
      : [
          {
            path: ['policy', index, 'rejectAt'],
            what: `nothing would be Junk for its sum: it is refused from ${rejectAt} on, and Junk from ${junkAt}`,
            remedy: 'Write a rejectAt above junkAt, or remove this line.',
          },
        ],
  );
  const names = policies.map(({ name }) => name);
  const twice = names.flatMap((name, index) =>
    name !== undefined && names.indexOf(name) < index
      ? [
          {
            path: ['policy', index, 'name'],
            what: `the policy "${name}" is here twice`,
            remedy: 'Give one of them another name.',
          },
        ]
      : [],
  );
  const known = new Set([defaultPolicy.name, ...names]);
  const missing = domains.flatMap(({ policy }, index) =>
    policy === undefined || known.has(policy)
      ? []
      : [
          {
            path: ['domain', index, 'policy'],
            what: `there is no policy "${policy}"`,
            remedy: `Add a [[policy]] of this name. Known here: ${[...known].join(', ')}.`,
          },
        ],
  );
  return [...scores, ...limits, ...twice, ...missing];
}

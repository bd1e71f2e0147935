/**
 * What a policy is: an ordered list of checks. The first whose condition holds and that does not only score decides; where
 * none does, the sum of the scores. The default suits a small server: it does what author domains ask for by DMARC, and what
 * filters say where there are any, and holds back no mail of strangers.
 */

import { type Named, readCondition } from './conditions.ts';

export type Action = 'accept' | 'junk' | 'greylist' | 'reject' | 'score';

export interface Check {
  when: Named;
  then: Action;
  /** Added where the condition holds; negative where that speaks for the message. For `score` alone. */
  score: number;
}

export interface Policy {
  name: string;
  /** Junk from this sum on. */
  junkAt: number;
  /** Refused from this sum on. Absent: never for the sum alone. */
  rejectAt?: number;
  checks: readonly Check[];
  /** Patterns of senders, for everybody whom it judges for; besides those of the mailbox. */
  block?: readonly string[];
  allow?: readonly string[];
}

export type CheckLine = readonly [when: string, then: Action, score?: number];

export const defaultPolicyName = 'default';

export const defaultJunkAt = 5;

/**
 * As the configuration would write it: what comes before a policy's own checks. What a person has said of a sender goes before
 * what is found out of the mail, but for malware; and who is both blocked and allowed is blocked.
 */
const firstChecks = readChecks([
  ['malware', 'reject'],
  ['blocked', 'reject'],
  ['allowed', 'accept'],
]);

/** What comes after them. */
const laterChecks = readChecks([
  ['dmarc:reject', 'reject'],
  ['milter:reject', 'reject'],
  ['rspamd:reject', 'reject'],
  ['dmarc:quarantine', 'junk'],
  ['dmarc:undecidable', 'junk'],
  ['unasked-report', 'junk'],
  ['milter:junk', 'junk'],
  ['rspamd:junk', 'junk'],
  // None of these makes junk by itself, nor do any two of the small ones: docs/decisions/0032 argues each.
  ['sender-domain:missing', 'score', 2],
  ['helo:ours', 'score', 2],
  ['helo:malformed', 'score', 1],
  ['helo:missing', 'score', 1],
  ['iprev:permerror', 'score', 1],
  ['iprev:fail', 'score', 1],
  ['early-talker', 'score', 2],
  ['spf:fail', 'score', 1.5],
  ['spf:softfail', 'score', 0.5],
  ['first-time-sender', 'score', 0.5],
  ['reputation:bad', 'score', 3],
  ['reputation:good', 'score', -1],
]);

/**
 * The built-in checks around a policy's own. One of the first that has a check of its own there is left out: whoever writes
 * `blocked` says where it stands, and what it does.
 */
export function withBuiltIn(own: readonly Check[]): Check[] {
  const isOwn = ({ when }: Check): boolean => own.some((check) => check.when.name === when.name);
  return [...firstChecks.filter((check) => !isOwn(check)), ...own, ...laterChecks];
}

const builtIn: ReadonlySet<Check> = new Set([...firstChecks, ...laterChecks]);

/** It is not one that the policy has written itself. */
export const isBuiltIn = (check: Check): boolean => builtIn.has(check);

export const defaultPolicy: Policy = {
  name: defaultPolicyName,
  junkAt: defaultJunkAt,
  checks: withBuiltIn([]),
};

/** Checks as the configuration would write them. Throws where one is no condition: these are ours. */
export function readChecks(lines: readonly CheckLine[]): Check[] {
  return lines.map(([text, then, score = 0]) => {
    const when = readCondition(text);
    if ('problem' in when) throw new TypeError(`This policy is wrong: ${when.problem}`);
    return { when, then, score };
  });
}

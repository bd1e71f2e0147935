/**
 * One day's results for one domain, added up as a report wants them (RFC 8460 §4): by policy, and each failure by what
 * it has in common with others. Bounded: what finds no room any more is still counted. Plain data that survives JSON.
 */

import type { ReportedPolicy, TlsFailureType, TlsResult } from './result.ts';

export interface DomainTally {
  policies: PolicyTally[];
}

export interface PolicyTally {
  policy: ReportedPolicy;
  successes: number;
  failures: number;
  details: FailureDetail[];
}

export interface FailureDetail {
  type: TlsFailureType;
  count: number;
  sendingAddress?: string;
  host?: string;
  address?: string;
  reason?: string;
}

/** Policies of one domain and day: a policy that is changed is another one, and under DANE each host has its own. */
export const maxPolicies = 40;
/** Different failures under one policy; what comes after is counted by its type alone. */
export const maxDetails = 100;
/** Characters of a policy's text that are kept, in whole lines. */
const maxPolicyText = 16_384;
const maxReasonLength = 200;

export const emptyTally = (): DomainTally => ({ policies: [] });

/** Adds a result to a tally of its domain and day. False where there was no room for its policy. */
export function addResult(
  tally: DomainTally,
  { policy, failure, receiver, sendingAddress }: TlsResult,
): boolean {
  const found = policyIn(tally, policy);
  if (found === undefined) return false;
  if (failure === undefined) {
    found.successes += 1;
    return true;
  }
  found.failures += 1;
  const { type, reason } = failure;
  addDetail(found.details, {
    type,
    count: 1,
    ...(sendingAddress !== undefined && { sendingAddress }),
    ...receiver,
    ...(reason !== undefined && { reason: reason.slice(0, maxReasonLength) }),
  });
  return true;
}

function policyIn({ policies }: DomainTally, policy: ReportedPolicy): PolicyTally | undefined {
  const bounded = { ...policy, strings: boundedLines(policy.strings), mxHosts: boundedLines(policy.mxHosts) };
  const name = nameOf(bounded);
  const found = policies.find((each) => nameOf(each.policy) === name);
  if (found !== undefined || policies.length >= maxPolicies) return found;
  const added: PolicyTally = { policy: bounded, successes: 0, failures: 0, details: [] };
  policies.push(added);
  return added;
}

const nameOf = ({ type, domain, strings }: ReportedPolicy): string => [type, domain, ...strings].join('\n');

function boundedLines(lines: readonly string[]): string[] {
  let length = 0;
  return lines.filter((line) => {
    length += line.length;
    return length <= maxPolicyText;
  });
}

function addDetail(details: FailureDetail[], detail: FailureDetail): void {
  const found = details.find((each) => isSame(each, detail));
  if (found !== undefined) found.count += 1;
  else if (details.length < maxDetails) details.push(detail);
  else addByType(details, detail.type);
}

/** There are no more of these than there are types. */
function addByType(details: FailureDetail[], type: TlsFailureType): void {
  const plain = { type, count: 1 };
  const found = details.find((each) => isSame(each, plain));
  if (found !== undefined) found.count += 1;
  else details.push(plain);
}

const isSame = (one: FailureDetail, other: FailureDetail): boolean =>
  one.type === other.type &&
  one.host === other.host &&
  one.address === other.address &&
  one.sendingAddress === other.sendingAddress &&
  one.reason === other.reason;

/** All sessions of the day, and those of them that failed. */
export function sumOf({ policies }: DomainTally): { successes: number; failures: number } {
  let [successes, failures] = [0, 0];
  for (const each of policies) {
    successes += each.successes;
    failures += each.failures;
  }
  return { successes, failures };
}

/** What a person is to make of the findings about an address of ours: how bad it is, why it matters, and what to do. */

import type { Finding, Remembered } from './history.ts';

export interface Advice {
  severity: 'good' | 'warning' | 'error';
  /** Of what, in a few words. */
  what: string;
  evidence: string;
  /** Absent where all is well. */
  remedy?: string;
  /** The DNS record to enter, where one would mend it. */
  record?: string;
}

/** The checks in words. */
const names: Record<Finding['check'], string> = {
  address: 'our own address',
  reverse: 'reverse name',
  ehlo: 'EHLO name',
  spf: 'SPF',
  blocklist: 'block list',
};

export function adviceOn(finding: Remembered): Advice {
  const { check, subject, evidence, record } = finding;
  const what = subject === '' ? names[check] : `${names[check]} ${subject}`;
  const advice = { severity: severityOf(finding), what, evidence };
  if (advice.severity === 'good') return advice;
  const remedy =
    finding.result === 'unknown'
      ? remedyForUnknown(finding)
      : remedies[finding.check](finding.result === 'bad');
  return { ...advice, remedy, ...(record !== undefined && { record }) };
}

function severityOf({ check, result }: Finding): Advice['severity'] {
  if (result === 'good') return 'good';
  if (result === 'unknown') return 'warning';
  return check === 'blocklist' ? 'warning' : 'error';
}

const remedies: Record<Finding['check'], (isBad: boolean) => string> = {
  address: () => 'Correct the address of this [[source]], or give it to a network interface of this machine.',
  reverse: () =>
    'Receivers refuse mail from an address without a name that leads back to it. Whoever gives you the address enters the ' +
    'record: look for "reverse DNS" in the panel of your provider.',
  ehlo: () =>
    'We introduce ourselves by this name: let it lead to the address, or set `hostname` (or the `ehloName` of the [[source]]) to one that does.',
  spf: (isBad) =>
    isBad
      ? 'Receivers take mail from this address for forged. Let the SPF record of the domain permit it.'
      : 'Publish one SPF record, and one only, that permits the addresses you send from.',
  blocklist: () =>
    'Find out what was sent from the address, stop it, and then ask the list to remove it: its web site says how. Mail goes from another address, if there is one.',
};

const remedyForUnknown = ({ check }: Finding): string =>
  check === 'blocklist'
    ? 'Many lists do not answer public resolvers: ask with a resolver of your own (`resolver`), or take the list out of `[guard] blocklists`.'
    : 'DNS has not told: try again; see whether the servers in `resolver` can be reached, and whether those of the domain answer them.';

/** What the guard has found of the addresses that mail is sent from, with what is to be done about it. Pure. */

import type { Remembered } from '../delivery/guard/history.ts';
import { findFamily } from '../net/addresses.ts';
import type { FindingId } from './catalogue.ts';
import { type Finding, found, good } from './finding.ts';

/** An address as it is seen from outside, with its name. */
export interface SourceName {
  publicAddress: string;
  ehloName: string;
}

const words: Record<Remembered['check'], string> = {
  address: 'our own address',
  reverse: 'reverse name',
  ehlo: 'EHLO name',
  spf: 'SPF',
  blocklist: 'block list',
};

export function sourceFinding(finding: Remembered, source: SourceName): Finding {
  const { check, subject, evidence, result } = finding;
  if (result === 'good') {
    const other = check === 'reverse' ? otherName(finding, source) : undefined;
    return other ?? good(subject === '' ? words[check] : `${words[check]} ${subject}`, evidence);
  }
  const id = idOf(finding, source.publicAddress);
  if (id === 'ptr-not-confirmed' && finding.names?.includes(source.ehloName))
    return unanswered(finding, source);
  return found(id, {
    ...(subject !== '' && { about: subject }),
    evidence,
    remedy:
      result === 'unknown' && check !== 'blocklist'
        ? unknownRemedy
        : `${undotted(finding)}${remedyFor(id, source)}`,
    record: finding.record,
    isUnknown: result === 'unknown' && check !== 'blocklist',
    ...(result === 'unknown' && { severity: 'warning' }),
  });
}

/** The reverse name is as it should be: what is missing is the way back. */
const unanswered = ({ evidence }: Remembered, { publicAddress, ehloName }: SourceName): Finding =>
  found('ptr-not-confirmed', {
    evidence,
    remedy: `The reverse name is right; but ${ehloName} does not lead back to the address, as receivers want it.`,
    record: { name: ehloName, type: findFamily(publicAddress) === 6 ? 'AAAA' : 'A', data: publicAddress },
  });

/** A name in a reverse zone, to which that zone was added. */
const undotted = ({ check, names = [] }: Remembered): string =>
  check === 'reverse' && names.some((name) => name.endsWith('.arpa'))
    ? 'The final dot of the name was left out, so that the reverse zone was added to it: end it with a dot. '
    : '';

/** The address has a name that leads back, and it is not the one we introduce ourselves by. */
function otherName({ names = [] }: Remembered, { publicAddress, ehloName }: SourceName): Finding | undefined {
  if (names.length === 0 || names.includes(ehloName)) return undefined;
  return found('ptr-other-name', {
    evidence: `${publicAddress} is called ${names.join(', ')}, and introduces itself as ${ehloName}`,
    remedy: `Some receivers mind. Have the PTR record changed, or set \`hostname\` (or the \`ehloName\` of the [[source]]) to ${names[0]}.`,
  });
}

function idOf({ check, result, names }: Remembered, address: string): FindingId {
  const isUnknown = result === 'unknown';
  switch (check) {
    case 'address':
      return 'address-unusable';
    case 'reverse':
      if (isUnknown) return 'ptr-unknown';
      if (names !== undefined && names.length > 0) return 'ptr-not-confirmed';
      return findFamily(address) === 6 ? 'ptr-missing-ipv6' : 'ptr-missing';
    case 'ehlo':
      return isUnknown ? 'ehlo-unknown' : 'ehlo-no-address';
    case 'spf':
      if (isUnknown) return 'spf-unknown';
      return result === 'absent' ? 'spf-missing' : 'spf-misses-address';
    case 'blocklist':
      return isUnknown ? 'blocklist-deaf' : 'blocklist-listed';
  }
}

const unknownRemedy =
  'DNS has not told: try again; see whether the servers in `resolver` can be reached, and whether those of the domain answer them.';

const provider =
  'Whoever gives you the address enters the record: look for "reverse DNS" in the panel of your provider.';

function remedyFor(id: FindingId, { publicAddress }: SourceName): string {
  switch (id) {
    case 'address-unusable':
      return 'Correct the address of this [[source]], or give it to a network interface of this machine.';
    case 'ptr-missing-ipv6':
      return `Gmail refuses mail from IPv6 without it, and others do. Posthorn sends over IPv4 until it is there, if it can. ${provider}`;
    case 'ptr-missing':
    case 'ptr-not-confirmed':
      return `Receivers refuse mail from an address without a name that leads back to it. ${provider}`;
    case 'ehlo-no-address':
      return 'We introduce ourselves by this name: let it lead to the address, or set `hostname` (or the `ehloName` of the [[source]]) to one that does.';
    case 'spf-misses-address':
      return `Receivers take mail from ${publicAddress} for forged. Let the SPF record of the domain permit it.`;
    case 'spf-missing':
      return 'Publish one SPF record, and one only, that permits the addresses you send from.';
    case 'blocklist-deaf':
      return 'Many lists do not answer public resolvers: ask with a resolver of your own (`resolver`), or take the list out of `[guard] blocklists`.';
    default:
      return 'Find out what was sent from the address, stop it, and then ask the list to remove it: its web site says how. Mail goes from another address, if there is one.';
  }
}

/**
 * The checks that the receiver will make of the sender, made by us with what DNS says now: on the message as it would
 * leave, once for each address that it may leave from.
 */

import { checkSender } from '../authentication/check.ts';
import { isRelated } from '../authentication/proven-author.ts';
import type { Verdicts } from '../authentication/verdicts.ts';
import type { Resolver } from '../dns/resolver.ts';
import type { Clock } from '../util/clock.ts';
import { type Finding, rfc } from './finding.ts';
import type { Letter } from './letter.ts';

/** As receivers see it. */
export interface OwnAddress {
  publicAddress: string;
  ehloName: string;
}

export interface AuthenticationParts {
  resolver: Resolver;
  clock: Clock;
}

/** What was found from one of our addresses. */
export interface Seen {
  from: OwnAddress;
  verdicts: Verdicts;
}

/** One after the other: the resolver remembers what the first has asked. */
export async function seenFrom(
  parts: AuthenticationParts,
  { sent, reversePath }: Letter,
  addresses: readonly OwnAddress[],
): Promise<Seen[]> {
  const seen: Seen[] = [];
  for (const from of addresses) {
    const { publicAddress: clientAddress, ehloName: helo } = from;
    const verdicts = await checkSender(parts, { clientAddress, helo, reversePath, message: sent });
    seen.push({ from, verdicts });
  }
  return seen;
}

export function authenticationFindings(letter: Letter, seen: readonly Seen[]): Finding[] {
  const [first] = seen;
  return [
    ...(first ? signatureFindings(letter, first.verdicts) : [noAddress]),
    ...seen.flatMap((each) => [spfFinding(each), reverseFinding(each)]),
    ...dmarcFindings(seen),
  ];
}

const about = 'authentication';

const noAddress: Finding = {
  ...{ id: 'address-unknown', about: 'address', severity: 'warning' },
  fact: 'From which address it would leave is not known: this machine has no public one, and no [[source]] names one.',
  remedy: 'Name it: [[source]] with address and, behind NAT, publicAddress.',
};

function signatureFindings({ isSigned, authorDomain }: Letter, { dkim, dmarc }: Verdicts): Finding[] {
  if (!isSigned)
    return [
      {
        ...{ id: 'dkim-unsigned', about, severity: 'error' },
        fact: `There is no key for ${authorDomain ?? 'its author'}: it would leave without our signature.`,
        rule: rfc('6376 §1', 'a signature takes responsibility for a message'),
        remedy: `Make one (posthorn dkim generate ${authorDomain ?? 'DOMAIN'}), or write as one of our own domains.`,
      },
    ];
  return dkim.map(({ result, domain, selector, algorithm, reason, aligned }): Finding => {
    const fact = `DKIM of ${domain}, selector ${selector} (${algorithm}): ${reason}.`;
    // Where there is no DMARC record, nobody has looked whether it is.
    const isOurs = aligned || (dmarc.result === 'none' && isRelated(domain, authorDomain ?? ''));
    if (result === 'pass' && isOurs) return { id: 'dkim-pass', about, severity: 'good', fact };
    if (result === 'pass') return { id: 'dkim-not-aligned', about, severity: 'notice', fact };
    return {
      ...{ id: `dkim-${result}`, about, severity: result === 'temperror' ? 'warning' : 'error', fact },
      rule: rfc('6376 §6.1', 'a signature counts where the published key verifies it'),
      remedy:
        result === 'temperror'
          ? 'DNS did not tell: try again.'
          : 'Publish the key that belongs to the selector: `posthorn doctor` compares it letter by letter.',
    };
  });
}

function spfFinding({ from: { publicAddress }, verdicts: { spf } }: Seen): Finding {
  const fact = `SPF from ${publicAddress}: ${spf.result}, ${spf.reason}.`;
  if (spf.result === 'pass') return { id: 'spf-pass', about, severity: 'good', fact };
  return {
    ...{ id: `spf-${spf.result}`, about, severity: spf.result === 'fail' ? 'error' : 'warning', fact },
    rule: rfc('7208 §2.6', 'the record says who may send for the domain'),
    remedy: spfRemedy(spf.result, publicAddress, spf.domain || 'the domain'),
  };
}

function spfRemedy(result: string, address: string, domain: string): string {
  if (result === 'temperror') return 'DNS did not tell: try again.';
  if (result === 'permerror')
    return `Mend the SPF record of ${domain}: as it is, nobody can read it. \`posthorn doctor\` prints the one to enter.`;
  return `Permit ${address} in the SPF record of ${domain}.`;
}

function reverseFinding({ from: { publicAddress, ehloName }, verdicts: { iprev } }: Seen): Finding {
  const fact = `Reverse name of ${publicAddress}: ${iprev.reason}.`;
  const names = iprev.names ?? (iprev.name === '' ? [] : [iprev.name]);
  if (iprev.result !== 'pass')
    return {
      ...{ id: 'ptr-wrong', about: 'address', severity: 'error', fact },
      rule: senderGuidelines,
      remedy: `Ask whoever gives you the address to enter ${ehloName} as its reverse name.`,
    };
  if (names.some((name) => name.toLowerCase() === ehloName.toLowerCase()))
    return { id: 'ptr-found', about: 'address', severity: 'good', fact };
  return {
    ...{ id: 'ptr-not-ehlo', about: 'address', severity: 'notice' },
    fact: `${fact} We say EHLO ${ehloName}.`,
    rule: rfc('5321 §4.1.4', 'a name that does not fit is no reason to refuse; some filters score it'),
    remedy: `Let the reverse name be ${ehloName}, or set hostname to it.`,
  };
}

const senderGuidelines = {
  text: 'Google wants forward and reverse DNS of an address that sends to agree, of every sender',
  source: 'support.google.com/a/answer/81126',
  since: '2024-02-01',
};

/** From no address may it fail: which one is used is chosen at the time. */
function dmarcFindings(seen: readonly Seen[]): Finding[] {
  const [worst] = [...seen].sort((a, b) => rankOf(a) - rankOf(b));
  if (worst === undefined) return [];
  const { verdicts, from } = worst;
  const { result, reason, published, domain } = verdicts.dmarc;
  const fact = `DMARC from ${from.publicAddress}: ${result}, ${reason}.`;
  if (result === 'pass') return [{ id: 'dmarc-pass', about, severity: 'good', fact }];
  if (result === 'none')
    return [
      {
        ...{ id: 'dmarc-absent', about, severity: 'warning', fact },
        rule: rfc('9989 §4', 'a record says what is to be done with what fails'),
        remedy: `Publish one: _dmarc.${domain || 'DOMAIN'} TXT "v=DMARC1; p=none; rua=mailto:postmaster@${domain || 'DOMAIN'}".`,
      },
    ];
  const isRefused = result === 'fail' && published?.p === 'reject' && !published.testing;
  return [
    {
      ...{ id: `dmarc-${result}`, about, severity: isRefused ? 'error' : 'warning', fact },
      rule: rfc('9989 §5', 'SPF or DKIM has to pass for a domain aligned with that of From'),
      remedy:
        result === 'temperror'
          ? 'DNS did not tell: try again.'
          : 'Sign with a key of the domain in From, or send from an address that its SPF record permits.',
    },
  ];
}

const rankOf = ({ verdicts: { dmarc } }: Seen): number =>
  ['fail', 'permerror', 'temperror', 'none', 'pass'].indexOf(dmarc.result);

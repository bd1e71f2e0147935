/** What `posthorn doctor` says of the DNS lists that policies name: whether they answer our resolver at all. */

import { lookUps } from '../authentication/look-ups.ts';
import type { Config } from '../config/config.ts';
import { auditList, type ListKind } from '../dns/dns-list.ts';
import type { Resolver } from '../dns/resolver.ts';
import { type Examined, found, good, type Section } from '../doctor/finding.ts';
import { defaultPolicy } from '../policy/policy.ts';
import { zonesOf } from '../reception/checks/dns-lists.ts';
import type { Clock } from '../util/clock.ts';

/** For all lists together. */
const auditMs = 20_000;
const maxQuestions = 1000;

const kindWords: Record<ListKind, string> = {
  ipv4: 'IPv4 addresses',
  ipv6: 'IPv6 addresses',
  domains: 'domains',
};

export interface DoctorParts {
  resolver: Resolver;
  clock: Clock;
}

/** Undefined where no policy names any. */
export async function listSection(
  { policies }: Pick<Config, 'policies'>,
  { resolver, clock }: DoctorParts,
): Promise<Section | undefined> {
  const { addresses, domains } = zonesOf([defaultPolicy, ...policies]);
  if (addresses.length + domains.length === 0) return undefined;
  const timeout = new AbortController();
  const cancel = clock.after(auditMs, () => timeout.abort());
  const { ask } = lookUps(resolver, maxQuestions, timeout.signal);
  const examine = async (zone: string, kinds: readonly ListKind[]): Promise<Examined> => {
    const audits = await Promise.all(
      kinds.map(async (kind) => ({ kind, isSound: await auditList(ask, zone, kind) })),
    );
    return examined(zone, audits);
  };
  try {
    const found = [
      ...addresses.map((zone) => examine(zone, ['ipv4', 'ipv6'])),
      ...domains.map((zone) => examine(zone, ['domains'])),
    ];
    return { section: 'DNS lists of the policies', examined: await Promise.all(found) };
  } finally {
    cancel();
  }
}

function examined(name: string, audits: readonly { kind: ListKind; isSound: boolean }[]): Examined {
  const isUseless = audits.every(({ isSound }) => !isSound);
  return {
    name,
    verdict: isUseless ? 'counts as unknown' : 'is asked about clients',
    isDomain: true,
    findings: audits.map(({ kind, isSound }) => {
      const entries = `its test entries for ${kindWords[kind]}`;
      if (isSound) return good('test entries', `${entries} are as they should be`);
      return found('list-deaf', {
        about: name,
        evidence: `${entries} are not as they should be (RFC 5782 §5)`,
        remedy: remedyFor(kind),
        isUnknown: isUseless,
      });
    }),
  };
}

const remedyFor = (kind: ListKind): string =>
  kind === 'ipv6'
    ? 'Many lists know no IPv6: of clients that come by it, this one counts as unknown.'
    : 'Many lists do not answer public resolvers: ask with a resolver of your own (`resolver`), or take the list out of the policies.';

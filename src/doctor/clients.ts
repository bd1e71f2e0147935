/** What mail programs find: SRV records, and the names of autoconfiguration. RFC 6186, RFC 2782. */

import type { WantedRecord } from '../records/wanted-record.ts';
import { comparable, textsOf } from './answers.ts';
import type { DnsLooks } from './dns-looks.ts';
import { type Finding, found, good, sentence } from './finding.ts';

/** `wanted`: the SRV records of one domain. */
export async function examineServices(looks: DnsLooks, wanted: readonly WantedRecord[]): Promise<Finding[]> {
  const judged = await Promise.all(wanted.map((record) => judgeService(looks, record)));
  const isUnknown = (await Promise.all(wanted.map(({ name }) => looks.see(name, 'SRV')))).some(
    ({ status }) => status === 'unknown',
  );
  const findings = judged.flatMap((finding) => finding ?? []);
  const missing = findings.filter(({ id }) => id === 'srv-missing');
  // One word for all of them.
  const told =
    missing.length > 1 ? [...findings.filter(({ id }) => id !== 'srv-missing'), together(missing)] : findings;
  return told.length > 0 || wanted.length === 0 || isUnknown
    ? told
    : [good('mail programs', 'SRV records are as they should be')];
}

async function judgeService(looks: DnsLooks, wanted: WantedRecord): Promise<Finding | undefined> {
  const seen = await looks.see(wanted.name, 'SRV');
  if (seen.status === 'unknown') return undefined;
  const texts = textsOf(seen);
  const isNone = wanted.data.endsWith(' .');
  if (texts.length === 0)
    return isNone
      ? undefined
      : found('srv-missing', {
          evidence: `${wanted.name} has no SRV record`,
          remedy: 'Optional: some mail programs set themselves up by it.',
          record: wanted,
        });
  // Priority and weight are a matter of taste.
  const place = (text: string) =>
    text
      .split(' ')
      .slice(isNone ? 3 : 2)
      .join(' ');
  if (texts.some((text) => place(text) === place(comparable(wanted)))) return undefined;
  return found('srv-wrong', {
    evidence: `${wanted.name} leads to ${texts.map(place).join(', ')} instead of ${place(comparable(wanted))}`,
    remedy: 'Mail programs that look there do not find this server.',
    record: wanted,
  });
}

function together(missing: readonly Finding[]): Finding {
  const [first] = missing as readonly [Finding, ...Finding[]]; // asked only of two or more
  const names = missing.map(({ evidence }) => evidence.slice(0, evidence.indexOf(' ')));
  return {
    ...first,
    evidence: `${names.join(', ')} have no SRV record`,
    record: missing.map(({ record }) => record).join('\n'),
  };
}

/** Names that are to lead to this server. */
export async function examineAutoconfig(
  looks: DnsLooks,
  wanted: readonly WantedRecord[],
  hostname: string,
): Promise<Finding[]> {
  const ours = new Set(
    (await Promise.all([looks.see(hostname, 'A'), looks.see(hostname, 'AAAA')])).flatMap(textsOf),
  );
  const judged = await Promise.all(
    wanted.map(async (record) => {
      const seen = await Promise.all([looks.see(record.name, 'A'), looks.see(record.name, 'AAAA')]);
      if (seen.some(({ status }) => status === 'unknown')) return [];
      const addresses = seen.flatMap(textsOf);
      const alias = seen[0]?.alias;
      if (addresses.length === 0)
        return record.notYet !== undefined
          ? []
          : [
              found('autoconfig-missing', {
                evidence: `${record.name} leads nowhere${alias === undefined ? '' : `: it is an alias (CNAME) of ${alias}`}`,
                remedy: sentence(record.why),
                record,
              }),
            ];
      if (record.notYet !== undefined || addresses.some((address) => ours.has(address))) return [];
      return [
        found('autoconfig-wrong', {
          evidence: `${record.name} leads to ${addresses.join(', ')}, not to this server`,
          remedy:
            'Mail programs get their settings from there: see that they are right, or let the name lead here.',
          record,
        }),
      ];
    }),
  );
  return judged.flat();
}

/** One domain, record by record. Where there is no zone, or all is an alias, nothing else is said: it all follows from that. */

import type { WantedRecord } from '../records/wanted-record.ts';
import { examineAutoconfig, examineServices } from './clients.ts';
import { examineDkim } from './dkim.ts';
import { examineDmarc } from './dmarc.ts';
import { type Examining, policyFetcher } from './examining.ts';
import type { Examined, Finding } from './finding.ts';
import { verdictOf } from './finding.ts';
import { examineMx } from './mx.ts';
import { examineSpf } from './spf.ts';
import { examineSts, examineTlsReports } from './tls-policies.ts';
import { hiddenNames, unusualTtls } from './zone-records.ts';
import { examineZone } from './zones.ts';

/** After these, what else is found are their consequences. */
const decisive = new Set([
  'zone-not-found',
  'zone-apex-alias',
  'dnssec-bogus',
  'dnssec-expired',
  'dnssec-ds-mismatch',
]);

export async function lookAtDomain(examining: Examining, domain: string): Promise<Examined> {
  const { looks, nobody, clock } = examining;
  const zone = await examineZone({ looks, domain, nobody, now: clock.now() });
  const isLost = zone.some(({ id }) => id !== undefined && decisive.has(id));
  const findings = isLost ? zone : [...zone, ...(await lookAtRecords(examining, domain))];
  return { name: domain, verdict: verdictOf(findings), findings, isDomain: true };
}

async function lookAtRecords(examining: Examining, domain: string): Promise<Finding[]> {
  const { looks, wanted, config, limit } = examining;
  const own = wanted.filter((record) => record.domain === domain);
  const of = (purpose: WantedRecord['purpose']) => own.filter((record) => record.purpose === purpose);
  const [spf] = of('spf').filter(({ name }) => name === domain);
  const [dmarc] = of('dmarc');
  const [reports] = of('tls-rpt');
  const [mx] = of('mx');
  const ours = wanted.filter(({ purpose }) => purpose === 'dkim');
  const parts = await Promise.all([
    mx === undefined ? [] : lookAtReception(examining, { domain, mx, sts: of('mta-sts') }),
    spf === undefined
      ? []
      : examineSpf({ looks, signal: limit, wanted: spf, senders: sendersOf(examining, domain) }),
    Promise.all(of('dkim').map((record) => examineDkim({ looks, wanted: record, ours }))).then((each) =>
      each.flat(),
    ),
    dmarc === undefined
      ? []
      : examineDmarc({ looks, signal: limit, wanted: dmarc, hostname: config.hostname }).then(
          ({ findings }) => findings,
        ),
    reports === undefined ? [] : examineTlsReports(looks, reports).then(({ findings }) => findings),
    examineServices(looks, of('client-srv')),
    examineAutoconfig(looks, of('autoconfig'), config.hostname),
  ]);
  return [...parts.flat(), ...(await hiddenNames(looks, domain)), ...unusualTtls(looks, domain)];
}

/** MX, and the policy that speaks of the same hosts. */
async function lookAtReception(
  examining: Examining,
  { domain, mx, sts }: { domain: string; mx: WantedRecord; sts: readonly WantedRecord[] },
): Promise<Finding[]> {
  const { looks, config, facts } = examining;
  const { findings, hosts } = await examineMx({ looks, wanted: mx, hostname: config.hostname });
  const policy = await examineSts({
    looks,
    domain,
    announcement: sts.find(({ type }) => type === 'TXT'),
    host: sts.find(({ type, notYet }) => type === 'CNAME' && notYet === undefined),
    served: facts.web.includes('mta-sts')
      ? facts.domains.find(({ name }) => name === domain)?.sts
      : undefined,
    fetchPolicy: policyFetcher(examining),
    // A host that is wrong is wrong there, too.
    hosts: findings.some(({ severity }) => severity === 'error') ? [config.hostname] : hosts,
  });
  return [...findings, ...policy];
}

/** Addresses that mail of the domain leaves from; none where it all goes by a relay. */
function sendersOf({ facts }: Examining, domain: string) {
  const relays = facts.domains.find(({ name }) => name === domain)?.relays ?? [];
  if (relays.length > 0) return [];
  const named = facts.sending.filter(({ senders }) =>
    senders.some((sender) => sender === domain || sender.endsWith(`@${domain}`)),
  );
  const all = facts.sending.filter(({ senders }) => senders.length === 0);
  return named.some(({ senders }) => senders.includes(domain)) ? named : [...all, ...named];
}

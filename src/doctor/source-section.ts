/** The addresses that mail is sent from, each as the guard thinks of it. */

import type { SourceReport } from '../delivery/guard/guard.ts';
import { findFamily } from '../net/addresses.ts';
import type { DoctorParts } from './examining.ts';
import { type Examined, found, type Section } from './finding.ts';
import { unsentDomains } from './settings.ts';
import { sourceFinding } from './sources.ts';

export async function sourceSection({
  sources,
  config,
}: Pick<DoctorParts, 'sources'> & { config: Parameters<typeof sectionOf>[1] }): Promise<Section> {
  return sectionOf(await sources(), config);
}

export function sectionOf(
  reports: readonly SourceReport[],
  config: Pick<DoctorParts['config'], 'guard' | 'sources' | 'domains'>,
): Section {
  const families = reports.map(({ address }) => findFamily(address));
  const examined = reports.map((report, index) => {
    const isOneOfMany = families.filter((family) => family === families[index]).length > 1;
    const { rank } = report.standing;
    const isFirst = !reports.some(({ standing }) => standing.isFit && standing.rank < rank);
    const isChosen = config.sources.length === 0 && isOneOfMany;
    return examinedOf(report, { ...config.guard, isChosen, isFirst });
  });
  const unsent = unsentDomains(config).map(({ domain, finding }) => ({
    name: domain,
    verdict: 'what it sends by MX waits',
    isDomain: true as const,
    findings: [finding],
  }));
  return {
    section: 'source addresses',
    examined: [...(examined.length === 0 ? [noAddress] : examined), ...unsent],
  };
}

/** `isChosen`: by the system, from several. `isFirst`: nothing better is there. What is wrong with the SPF record itself is told with its domain. */
function examinedOf(
  report: SourceReport,
  { enabled, isChosen, isFirst }: { enabled: boolean; isChosen: boolean; isFirst: boolean },
): Examined {
  const { address, publicAddress, ehloName, findings, standing } = report;
  const seen = publicAddress === address ? '' : `, seen as ${publicAddress}`;
  return {
    name: `${address}${seen}, called ${ehloName}`,
    verdict: `${enabled ? verdictOf(standing.isFit, isFirst) : 'mail is sent from here whatever is found: the guard is off'}${
      isChosen && standing.isFit ? ', where the system chooses it: name those to send from in [[source]]' : ''
    }`,
    findings: findings
      .filter(({ check, result }) => check !== 'spf' || result !== 'absent')
      .map((finding) => sourceFinding(finding, { publicAddress, ehloName })),
  };
}

function verdictOf(isFit: boolean, isFirst: boolean): string {
  if (!isFit) return 'disqualified: not used while another address qualifies';
  return isFirst ? 'mail is sent from here' : 'mail is sent from here, but from others first';
}

const noAddress: Examined = {
  name: 'this machine',
  verdict: 'nothing could be looked at',
  findings: [
    found('no-public-address', {
      evidence: 'this machine has no public address, and the configuration names none',
      remedy:
        'Behind NAT, name both: [[source]] with address = "…" (of this machine) and publicAddress = "…" (what receivers see).',
    }),
  ],
};

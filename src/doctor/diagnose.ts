/**
 * The whole examination: everything at once, each part with a limit of its own, put together in the order in which a person
 * reads it. Reads top to bottom; what each part looks for is in a file of its own.
 */

import { wantedRecords } from '../records/wanted.ts';
import { catalogue } from './catalogue.ts';
import { DnsLooks } from './dns-looks.ts';
import { lookAtDomain } from './domain-section.ts';
import type { DoctorParts, Examining } from './examining.ts';
import { type Examined, found, type Section, verdictOf } from './finding.ts';
import { lookAtHost } from './host-section.ts';
import { lookAtMachine } from './machine-section.ts';
import { unprovenFindings } from './signatures.ts';
import { sourceSection } from './source-section.ts';
import { problemsIn } from './watch.ts';
import { disagreements } from './zone-records.ts';

/** For all together. DNS that answers takes a small part of that. */
export const doctorMs = 25_000;
/** Domains at once. */
const domainsAtOnce = 10;

export async function diagnose(parts: DoctorParts): Promise<Section[]> {
  const { clock, signal, ask, resolvers, ports, facts } = parts;
  const timeout = new AbortController();
  const cancel = clock.after(doctorMs, () => timeout.abort(new Error(lateWords)));
  const limit = signal ? AbortSignal.any([signal, timeout.signal]) : timeout.signal;
  const looks = new DnsLooks({ ask, resolvers, port: ports.names, signal: limit, now: () => clock.now() });
  const examining: Examining = { ...parts, looks, limit, wanted: wantedRecords(facts) };
  try {
    const [sources, machine, host, domains, others] = await Promise.all([
      inTime('source addresses', limit, sourceSection(examining)),
      inTime('this machine', limit, lookAtMachine(examining)),
      inTime('this server', limit, lookAtHost(examining)),
      inTime('domains', limit, lookAtDomains(examining)),
      Promise.all(parts.others.map((other) => inTime('filters and lists', limit, other))),
    ]);
    const last = disagreementSection(looks, [machine, domains]);
    return [sources, machine, host, domains, last, ...others].filter((section) => section !== undefined);
  } finally {
    cancel();
  }
}

const lateWords = `not done within ${doctorMs / 1000} s`;

async function lookAtDomains(examining: Examining): Promise<Section> {
  const { domains } = examining.config;
  const examined: Examined[] = [];
  for (let start = 0; start < domains.length; start += domainsAtOnce) {
    const some = domains.slice(start, start + domainsAtOnce);
    examined.push(...(await Promise.all(some.map(({ name }) => lookAtDomain(examining, name)))));
  }
  return { section: 'domains', examined };
}

/** Known only once everybody has asked what they wanted to; without what has been explained already. */
function disagreementSection(looks: DnsLooks, sections: readonly Section[]): Section | undefined {
  const ids = new Set(problemsIn(sections).map(({ id }) => id));
  const findings = disagreements({
    differences: ids.has('zone-serials-differ') ? [] : looks.differences,
    outdated: ids.has('resolver-rewrites') ? [] : looks.outdated,
  });
  // Where the zone itself is not proven, no record of it is.
  if (![...ids].some((id) => id?.startsWith('dnssec-') && catalogue[id].severity === 'error'))
    findings.push(...unprovenFindings(looks.unproven));
  if (findings.length === 0) return undefined;
  const name = 'what DNS says';
  const examined = [{ name, verdict: verdictOf(findings), findings, isDomain: true as const }];
  return { section: 'contradictions', examined };
}

/** What is not ready in time is told as such: the rest is of use all the same. */
async function inTime<T extends Section | undefined>(
  name: string,
  limit: AbortSignal,
  work: Promise<T>,
): Promise<T | Section> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const abort = () => reject(limit.reason);
  limit.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, late]);
  } catch (error) {
    if (!limit.aborted) throw error;
    const evidence = error instanceof Error ? error.message : String(error);
    const finding = found('not-looked-at', {
      evidence,
      remedy: 'Try again; see what answers so slowly.',
      isUnknown: true,
    });
    return { section: name, examined: [{ name, verdict: 'not known', findings: [finding], isDomain: true }] };
  } finally {
    limit.removeEventListener('abort', abort);
    late.catch(() => undefined); // nobody waits for it any more
    work.catch(() => undefined); // it ends some time after the limit, and is of no use then
  }
}

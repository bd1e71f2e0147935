/** Which certificates are wanted of an authority, and for which names. Pure. */

import type { Config } from './config.ts';

export interface WantedCertificate {
  /** The first of its names: what it is called, here and on disk. */
  id: string;
  names: readonly string[];
  /** Names that are only asked for while DNS leads them to us: nobody needs them before. */
  isOptional: boolean;
}

/** What the web listener answers to, before the domain (docs/configuration.md). */
const webLabels = ['mta-sts', 'autoconfig', 'autodiscover'];

/**
 * Our own name has a certificate to itself: no mistake in the DNS of another name keeps it from being renewed. So have the
 * web names of each domain. `isCovered`: there is a certificate for that name in files.
 */
export function wantedCertificates(
  { hostname, tls, issuedNames, domains, listeners }: Config,
  isCovered: (name: string) => boolean,
): WantedCertificate[] {
  const own = tls?.cert === undefined && !isCovered(hostname) ? [[hostname]] : [];
  const hasWeb = listeners.some(({ protocol }) => protocol === 'https');
  const all = [
    ...[...own, ...issuedNames].map((names) => ({ names, isOptional: false })),
    ...(hasWeb ? domains : []).map(({ name }) => ({
      names: webLabels.map((label) => `${label}.${name}`).filter((each) => !isCovered(each)),
      isOptional: true,
    })),
  ];
  const seen = new Set<string>();
  return all.flatMap(({ names, isOptional }) => {
    const [id] = names;
    if (id === undefined || seen.has(id)) return [];
    seen.add(id);
    return [{ id, names: [...new Set(names)], isOptional }];
  });
}

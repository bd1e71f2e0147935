/** Which names are ours: a certificate is asked for those that DNS leads here. */

import type { Resolver } from '../dns/resolver.ts';

/** Those that DNS leads to where it leads our own name. An answer that fails leaves a name as it was. */
export async function namesThatAreOurs(
  resolver: Resolver,
  hostname: string,
  names: readonly string[],
  before: readonly string[],
): Promise<string[]> {
  const own = await addressesOf(resolver, hostname);
  const found = await Promise.all(names.map((name) => addressesOf(resolver, name)));
  return names.filter((name, index) => {
    const addresses = found[index];
    if (addresses === undefined || own === undefined) return before.includes(name);
    return addresses.some((address) => own.includes(address));
  });
}

/** Undefined where DNS does not say. */
async function addressesOf(resolver: Resolver, name: string): Promise<string[] | undefined> {
  const answers = await Promise.all([resolver.resolve(name, 'A'), resolver.resolve(name, 'AAAA')]);
  const found = answers.flatMap((answer) => (answer.status === 'found' ? answer.records : []));
  if (found.length === 0 && answers.some(({ status }) => status === 'failed')) return undefined;
  return found;
}

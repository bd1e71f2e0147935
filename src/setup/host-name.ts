/** What the server is called: a name in the domain, which the reverse names of its addresses will have to say. */

import type { Resolver } from '../dns/resolver.ts';
import { reverseName } from '../dns/reverse.ts';
import { isWithin } from '../records/zone-of.ts';
import type { StepOutcome } from './step.ts';

export interface NameParts {
  domain: string;
  /** By `--hostname`. */
  given: string | undefined;
  /** That of the configuration; it stays. */
  configured: string | undefined;
  /** That of the operating system. */
  machine: string;
  addresses: readonly string[];
  resolver: Resolver;
}

/** Before the addresses are known: what the machine is called, if that lies in the domain, else `mx.` and the domain. */
export function likelyName({
  domain,
  given,
  configured,
  machine,
}: Omit<NameParts, 'addresses' | 'resolver'>): string {
  const ofMachine = machine !== domain && isWithin(machine, domain) ? machine : undefined;
  return configured ?? given ?? ofMachine ?? `mx.${domain}`;
}

/** A reverse name in the domain has been asked for by somebody: then it is the name. */
export async function chooseName(parts: NameParts): Promise<StepOutcome<string>> {
  const { domain, given, configured, addresses } = parts;
  const reverse = await reverseNames(parts);
  const names = [...reverse.values()].flat();
  const chosen = configured ?? given ?? names.find((name) => isWithin(name, domain)) ?? likelyName(parts);
  const wrong = addresses.filter((address) => !reverse.get(address)?.includes(chosen));
  return {
    value: chosen,
    state: configured === undefined ? 'done' : 'kept',
    what: chosen,
    details: wrong.map((address) => {
      const now = reverse.get(address) ?? [];
      return `the reverse name of ${address} is ${now.length === 0 ? 'missing' : now.join(', ')}: it must become ${chosen} (your hosting provider enters it)`;
    }),
  };
}

async function reverseNames({ addresses, resolver }: NameParts): Promise<Map<string, readonly string[]>> {
  const found = await Promise.all(
    addresses.map(async (address) => {
      const answer = await resolver.resolve(reverseName(address), 'PTR');
      return [address, answer.status === 'found' ? answer.records : []] as const;
    }),
  );
  return new Map(found);
}

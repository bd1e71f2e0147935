/** At which addresses the world finds this machine, also from behind a router that translates them. */

import type { Resolver } from '../dns/resolver.ts';
import { addressClass, canonicalAddress, findFamily } from '../net/addresses.ts';
import type { StepOutcome } from './step.ts';

export interface OwnAddresses {
  /** As others see them. */
  public: readonly string[];
  /** Where the machine itself has another. */
  translated: readonly { address: string; publicAddress: string }[];
}

export interface AddressParts {
  /** Public ones of the machine's interfaces. */
  machine: readonly string[];
  /** Private ones. */
  inside: readonly string[];
  /** Those that were given by hand; they go before all. */
  given: readonly string[];
  /** Those that the configuration names already. */
  configured: OwnAddresses | undefined;
  /** Whose records say where we are, if nobody else does. */
  hostname: string;
  resolver: Resolver;
}

export async function findAddresses(parts: AddressParts): Promise<StepOutcome<OwnAddresses>> {
  const { machine, given, configured, hostname } = parts;
  if (given.length > 0) return found(withTranslation(given, parts), 'as given');
  if (configured !== undefined && configured.public.length > 0) return found(configured, 'as configured');
  if (machine.length > 0) return found({ public: machine, translated: [] });
  const published = await publishedAddresses(parts);
  if (published.length > 0) return found(withTranslation(published, parts), `as DNS says of ${hostname}`);
  return {
    value: { public: [], translated: [] },
    state: 'failed',
    what: 'this machine shows no public address: it is behind NAT, or has no network',
    remedy: 'Name the address that others see: --address 192.0.2.1 (once more for IPv6).',
  };
}

function found(value: OwnAddresses, how?: string): StepOutcome<OwnAddresses> {
  const families = new Set(value.public.map(findFamily));
  const missing = families.has(6) ? [] : ['no IPv6: mail goes and comes over IPv4 alone'];
  const noIpv4 = families.has(4) ? [] : ['no IPv4: many servers cannot reach this one'];
  return {
    value,
    state: families.has(4) ? 'good' : 'warning',
    what: `${value.public.join(', ')}${how === undefined ? '' : ` (${how})`}`,
    details: [
      ...missing,
      ...noIpv4,
      ...value.translated.map(
        ({ address, publicAddress }) => `${publicAddress} is ${address} on this machine`,
      ),
    ],
    ...(!families.has(4) && { remedy: 'Ask your provider for an IPv4 address.' }),
  };
}

function withTranslation(addresses: readonly string[], { machine, inside }: AddressParts): OwnAddresses {
  const all = addresses.map(canonicalAddress);
  const translated = all.flatMap((publicAddress) => {
    if (machine.includes(publicAddress)) return [];
    const address = inside.find((each) => findFamily(each) === findFamily(publicAddress));
    return address === undefined ? [] : [{ address, publicAddress }];
  });
  return { public: all, translated };
}

async function publishedAddresses({ hostname, resolver }: AddressParts): Promise<string[]> {
  const answers = await Promise.all([resolver.resolve(hostname, 'A'), resolver.resolve(hostname, 'AAAA')]);
  return answers
    .flatMap((answer) => (answer.status === 'found' ? [...answer.records] : []))
    .filter((address) => addressClass(address) === 'public');
}

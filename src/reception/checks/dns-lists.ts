/**
 * Finds `dnsbl` and `rhsbl`: what the DNS lists that a policy names say of the client's address and the sender's domain. Each list is
 * asked for its own test entries from time to time: one that does not answer our resolver as it should tells nothing, and the
 * log says so.
 */

import type { LookUps } from '../../authentication/look-ups.ts';
import { type AskList, addressEntry, askList, auditList, type ListKind } from '../../dns/dns-list.ts';
import { parseAddress } from '../../mail/address.ts';
import { addressClass } from '../../net/addresses.ts';
import type { ListFact } from '../../policy/facts.ts';
import { readListArgument } from '../../policy/list-codes.ts';
import type { Policy } from '../../policy/policy.ts';
import type { Log } from '../../util/log.ts';
import { type CheckParts, withLookUps } from './check-look-ups.ts';
import type { FactSource } from './fact-source.ts';

export interface DnsListParts extends CheckParts {
  log: Log;
}

/** A list that answered as it should is believed for so long; one that did not is asked again sooner. */
export const soundMs = 3600_000;
export const unsoundMs = 5 * 60_000;

/** The zones that policies name. */
export function zonesOf(policies: readonly Policy[]): { addresses: string[]; domains: string[] } {
  const named = policies.flatMap(({ checks }) => checks.map(({ when }) => when));
  const zones = (names: readonly string[]) => [
    ...new Set(
      named.filter(({ name }) => names.includes(name)).map(({ argument }) => readListArgument(argument).zone),
    ),
  ];
  return { addresses: zones(['dnsbl', 'dnswl']), domains: zones(['rhsbl']) };
}

export function dnsListSource(parts: DnsListParts, policies: readonly Policy[]): FactSource {
  const zones = zonesOf(policies);
  const audits = new ListAudits(parts);
  const askAll = async (dns: LookUps, names: readonly string[], asked: Asked) =>
    Object.fromEntries(
      await Promise.all(names.map(async (zone) => [zone, await audits.ask(dns.ask, zone, asked)] as const)),
    );
  return {
    finds: ['dnsbl', 'rhsbl'],
    ofClient: ({ session: { peer }, transaction: { reversePath } }) =>
      withLookUps(parts, async (dns) => {
        const domain = parseAddress(reversePath)?.domain ?? '';
        const isName = domain !== '' && !domain.startsWith('[');
        const client = peer.address;
        const [dnsbl, rhsbl] = await Promise.all([
          addressClass(client) === 'loopback'
            ? nowhere(zones.addresses, `${client} is this machine`)
            : askAll(dns, zones.addresses, { ...addressEntry(client), subject: client }),
          isName
            ? askAll(dns, zones.domains, { entry: domain, kind: 'domains', subject: domain })
            : nowhere(zones.domains, 'the reverse-path has no domain'),
        ]);
        return { dnsbl, rhsbl };
      }),
  };
}

/** Whom no list is about; 127.0.0.2 is the entry by which lists are tested. */
const nowhere = (zones: readonly string[], why: string): Record<string, ListFact> =>
  Object.fromEntries(zones.map((zone) => [zone, { result: 'free', codes: [], why }]));

/** What is asked about. */
interface Asked {
  entry: string;
  kind: ListKind;
  subject: string;
}

interface Audit {
  until: number;
  isSound: boolean;
}

class ListAudits {
  readonly #parts: DnsListParts;
  readonly #known = new Map<string, Audit>();
  readonly #asking = new Map<string, Promise<boolean>>();

  constructor(parts: DnsListParts) {
    this.#parts = parts;
  }

  async ask(ask: AskList, zone: string, { entry, kind, subject }: Asked): Promise<ListFact> {
    const [isSound, { result, codes }] = await Promise.all([
      this.#audit(ask, zone, kind),
      askList(ask, zone, entry),
    ]);
    if (!isSound)
      return { result: 'unknown', codes: [], why: `${zone} does not answer our resolver as it should` };
    const whys = {
      listed: `${subject} is listed by ${zone} (${codes.join(', ')})`,
      free: `${subject} is not listed by ${zone}`,
      unknown: `whether ${zone} lists ${subject} is not known now`,
    };
    return { result, codes, why: whys[result] };
  }

  #audit(ask: AskList, zone: string, kind: ListKind): Promise<boolean> {
    const key = `${zone} ${kind}`;
    const known = this.#known.get(key);
    if (known && known.until > this.#parts.clock.now()) return Promise.resolve(known.isSound);
    const asking =
      this.#asking.get(key) ??
      auditList(ask, zone, kind)
        .then((isSound) => this.#note(zone, kind, isSound))
        .finally(() => this.#asking.delete(key));
    this.#asking.set(key, asking);
    return asking;
  }

  /** Told once, and again when that changes. */
  #note(zone: string, kind: ListKind, isSound: boolean): boolean {
    const { clock, log } = this.#parts;
    const key = `${zone} ${kind}`;
    const before = this.#known.get(key)?.isSound ?? true;
    this.#known.set(key, { isSound, until: clock.now() + (isSound ? soundMs : unsoundMs) });
    if (before && !isSound) log.warn({ zone, kind }, unsoundWords);
    else if (!before && isSound) log.info({ zone, kind }, 'this DNS list answers as it should again');
    return isSound;
  }
}

const unsoundWords =
  'this DNS list does not answer our resolver as it should, and counts as unknown: ' +
  'many do not answer public resolvers. Ask with a resolver of your own (`resolver`), or take it out of the policies';

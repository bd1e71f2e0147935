/**
 * From which of our addresses a message is sent: those that the configuration has for its sender, those that the guard
 * thinks fit, the one that the receiver knows it by. Decides only, and says why where it makes a difference. Without sources in the
 * configuration the system chooses, as long as the guard has nothing against it.
 */

import type { Config } from '../../config/config.ts';
import type { SourceConfig } from '../../config/sending.ts';
import type { Endpoint } from '../../dossier/event.ts';
import { addressKey, parseAddress } from '../../mail/address.ts';
import { addressClass, findFamily } from '../../net/addresses.ts';

export type Family = 4 | 6;

/** What is thought of an address of ours. */
export interface Standing {
  /** An address that is not is used only where no other is. */
  isFit: boolean;
  /** Among addresses of one kind, the lowest goes first. */
  rank: number;
  /** Why it is not fit, or not first. */
  reason?: string;
}

export interface Standings {
  /** Nothing is held against any address. */
  readonly spotless: boolean;
  of(address: string): Standing;
  /** The addresses between which the system chooses, as far as they are known. */
  ofSystem(family: Family): readonly string[];
}

export interface SourceChoice extends Standing {
  /** Absent: whatever the system takes. */
  address?: string;
}

export interface SourcePlan {
  /** A family that is not here is not used at all. */
  choices: Partial<Record<Family, SourceChoice>>;
  /** That of the address that the receiver knows. */
  known?: Family;
}

export interface SourceChooser {
  /** `known` is the address of ours from which the receiver has heard of this message. Undefined: no choice is to be made. */
  choose(reversePath: string, known?: string): SourcePlan | undefined;
}

export interface ChooserParts {
  sources: readonly SourceConfig[];
  /** Whether a domain, in A-labels, is one of our own. */
  isOurs: (domain: string) => boolean;
  standings: Standings;
  /** 0 ≤ random() < 1; spreads the mail over sources that are as good as each other. */
  random: () => number;
}

const spotless: Standing = { isFit: true, rank: 0 };
/** Nothing is known of any address. */
export const noStandings: Standings = { spotless: true, of: () => spotless, ofSystem: () => [] };

const families = [6, 4] as const;

export function sourceChooser({ sources, isOurs, standings, random }: ChooserParts): SourceChooser {
  return {
    choose(reversePath, known) {
      const knownFamily = known === undefined ? undefined : findFamily(known);
      if (sources.length === 0 && standings.spotless && knownFamily === undefined) return undefined;
      const own = sources.length === 0 ? undefined : sourcesOf(reversePath, sources, isOurs);
      const choices: SourcePlan['choices'] = {};
      for (const family of families) {
        const choice =
          own === undefined
            ? systemChoice(standings, family)
            : best(
                own.filter((address) => findFamily(address) === family),
                { standings, random, known },
              );
        if (choice !== undefined) choices[family] = choice;
      }
      return { choices, ...(knownFamily !== undefined && { known: knownFamily }) };
    },
  };
}

/**
 * The addresses for a sender: those that name it, else those that name its domain, else those that name nobody. Whom no
 * configuration can name, reports and what an alias leads on from outside, then goes from any: it must not be stuck here.
 */
function sourcesOf(
  reversePath: string,
  sources: readonly SourceConfig[],
  isOurs: ChooserParts['isOurs'],
): string[] {
  const sender = reversePath === '' ? undefined : parseAddress(reversePath);
  const wanted = sender === undefined ? [] : [addressKey(sender), sender.domain];
  for (const name of wanted) {
    const own = sources.filter(({ senders }) => senders.includes(name));
    if (own.length > 0) return own.map(({ address }) => address);
  }
  const forAll = sources.filter(({ senders }) => senders.length === 0);
  const isNamed = forAll.length > 0 || (sender !== undefined && isOurs(sender.domain));
  return (isNamed ? forAll : sources).map(({ address }) => address);
}

/** Those of our domains whose mail has no source, or only that of some addresses. */
export function domainsWithoutSource({ sources, domains }: Pick<Config, 'sources' | 'domains'>): string[] {
  if (sources.length === 0 || sources.some(({ senders }) => senders.length === 0)) return [];
  const named = new Set(sources.flatMap(({ senders }) => senders));
  return domains.map(({ name }) => name).filter((name) => !named.has(name));
}

export const sourceRemedy = (domain: string): string =>
  `Put "${domain}" into the senders of a [[source]], or add one without senders, for everybody else.`;

/** Left to the system, unless it might take an address that is not fit. What is held against one counts for all. */
function systemChoice(standings: Standings, family: Family): SourceChoice {
  const known = standings.ofSystem(family).map((address) => ({ address, ...standings.of(address) }));
  const sorted = known.sort(byStanding);
  const [first, last] = [sorted[0], sorted.at(-1)];
  if (first === undefined || last === undefined) return spotless;
  if (!last.isFit) return first;
  const { address: _, ...standing } = last;
  return standing;
}

function best(
  addresses: readonly string[],
  { standings, random, known }: Pick<ChooserParts, 'standings' | 'random'> & { known: string | undefined },
): SourceChoice | undefined {
  const all = addresses.map((address) => ({ address, ...standings.of(address) })).sort(byStanding);
  const kept = all.find(({ address, isFit }) => isFit && address === known);
  const equals = all.filter((each) => all[0] !== undefined && byStanding(each, all[0]) === 0);
  return kept ?? equals[Math.floor(random() * equals.length)];
}

const byStanding = (one: Standing, other: Standing): number =>
  Number(other.isFit) - Number(one.isFit) || one.rank - other.rank;

export interface Planned {
  hosts: Endpoint[][];
  /** Why endpoints were left out, where some were. */
  rule?: string;
}

/**
 * The endpoints with our address for each. Those that could be reached only from an address that is not fit are left out
 * while there are others; where there are none, the best of our addresses sends.
 */
export function withSources(hosts: readonly (readonly Endpoint[])[], plan: SourcePlan): Planned {
  // Who is on this machine, over loopback or a Unix socket, does not ask how we are known outside.
  const isInside = ({ address }: Endpoint) =>
    findFamily(address) === undefined || (isLoopback(address) && !usesLoopback(plan));
  const outside = hosts.flat().filter((endpoint) => !isInside(endpoint));
  const all = outside.flatMap((endpoint) => plan.choices[familyOf(endpoint)] ?? []);
  const bar = [...all].sort(byStanding)[0];
  const isGoodEnough = (choice: SourceChoice) =>
    bar !== undefined && (choice.isFit || byStanding(choice, bar) === 0);
  const withOurs = (endpoint: Endpoint): Endpoint[] => {
    if (isInside(endpoint)) return [endpoint];
    const choice = plan.choices[familyOf(endpoint)];
    if (choice === undefined || !isGoodEnough(choice)) return [];
    return [{ ...endpoint, ...(choice.address !== undefined && { source: choice.address }) }];
  };
  const planned = hosts.map((host) =>
    host.every(isInside) ? [...host] : inOrder(host, plan).flatMap(withOurs),
  );
  const rule = ruleOf(outside, plan, isGoodEnough);
  return { hosts: planned.filter((host) => host.length > 0), ...(rule !== undefined && { rule }) };
}

const familyOf = ({ address }: Endpoint): Family => findFamily(address) ?? 4;

const isLoopback = (address: string): boolean => addressClass(address) === 'loopback';

const usesLoopback = ({ choices }: SourcePlan): boolean =>
  families.some((family) => isLoopback(choices[family]?.address ?? ''));

/** In front the family that the receiver knows us by, then the one of which less is held against our address. */
function inOrder(host: readonly Endpoint[], { choices, known }: SourcePlan): readonly Endpoint[] {
  const standing = (endpoint: Endpoint): Standing => choices[familyOf(endpoint)] ?? spotless;
  const isUnknown = (endpoint: Endpoint) => Number(known !== undefined && familyOf(endpoint) !== known);
  return host.toSorted(
    (one, other) => isUnknown(one) - isUnknown(other) || byStanding(standing(one), standing(other)),
  );
}

function ruleOf(
  endpoints: readonly Endpoint[],
  { choices }: SourcePlan,
  isGoodEnough: (choice: SourceChoice) => boolean,
): string | undefined {
  const rules = families
    .filter((family) => endpoints.some((endpoint) => familyOf(endpoint) === family))
    .flatMap((family) => {
      const choice = choices[family];
      if (choice === undefined)
        return `IPv${family} is not used: no source of it is configured for this sender`;
      const { isFit, address, reason } = choice;
      if (!isGoodEnough(choice)) return `IPv${family} is passed over: ${reason}`;
      if (!isFit) return `no address of ours qualifies; the best is ${address}, although ${reason}`;
      const isBehind = families.some((other) => (choices[other]?.rank ?? choice.rank) < choice.rank);
      return isBehind ? `IPv${family} comes last: ${reason ?? 'not all is known of our address'}` : [];
    });
  return rules.length === 0 ? undefined : rules.join('; ');
}

/** What a good configuration says to no effect, or to one that few would want: told by `config check`, and no hindrance. */

import { attachmentWords } from '../policy/conditions/content.ts';
import { spell } from '../policy/conditions.ts';
import { type Check, isBuiltIn, type Policy } from '../policy/policy.ts';
import type { Config } from './config.ts';
import { findNearest } from './nearest.ts';
import { isNetworkAddress } from './network.ts';

/** In words, each with what to do about it. */
export function warningsOf(config: Config): string[] {
  return [
    ...config.policies.flatMap((policy) =>
      warningsOfPolicy(policy, config).map((words) => `policy "${policy.name}": ${words}`),
    ),
    ...warningsOfCatchAlls(config.domains),
    ...warningsOfNetworks(config.relay.trustedNetworks),
  ];
}

function warningsOfPolicy(policy: Policy, config: Config): string[] {
  const own = policy.checks.filter((check) => !isBuiltIn(check));
  return [
    ...own.flatMap((check) =>
      idleBecause(check, config).map((why) => `${spell(check.when)} never holds: ${why}`),
    ),
    ...own.flatMap(misspelled),
    ...unreachable(policy, own),
    ...early(policy),
    ...unheard(policy),
  ];
}

const filterOf: Readonly<Record<string, string>> = { malware: 'clamd', rspamd: 'rspamd', milter: 'milter' };

function idleBecause({ when: { name, argument } }: Check, { filters, limits }: Config): string[] {
  const kind = filterOf[name];
  if (kind !== undefined && !filters.some((filter) => filter.kind === kind))
    return [`there is no [[filter]] with kind = "${kind}"`];
  if (name === 'filter-down' && filters.length === 0) return ['there is no [[filter]]'];
  if (name === 'filter-down' && argument !== '' && !filters.some((filter) => filter.name === argument))
    return [
      `no [[filter]] is called "${argument}"; there are ${filters.map((filter) => filter.name).join(', ')}`,
    ];
  if (name === 'early-talker' && limits.greetingDelayMs === 0)
    return ['the greeting is not delayed; set [limits] greetingDelayMs = 1000'];
  return [];
}

function misspelled({ when: { name, argument } }: Check): string[] {
  if (name !== 'attachment') return [];
  return argument.split(',').flatMap((kind) => {
    const near = findNearest(kind, attachmentWords);
    const isMeant = attachmentWords.some((word) => word === kind);
    return isMeant || near === undefined ? [] : [`attachment:${kind}: did you mean "${near}"?`];
  });
}

/** Behind what always decides. Built-in ones that are not reached are told once. */
function unreachable({ checks }: Policy, own: readonly Check[]): string[] {
  const end = checks.findIndex(
    ({ when, then }) => when.name === 'always' && then !== 'score' && then !== 'greylist',
  );
  const behind = end < 0 ? [] : checks.slice(end + 1).filter((check) => own.includes(check));
  return behind.map(({ when }) => `${spell(when)} is never asked: it stands behind "always"`);
}

/** An `accept` lets forged authors in, unless DMARC was asked before it, or it rests on a proof itself. */
function early({ checks }: Policy): string[] {
  const asked = checks.findIndex(({ when, then }) => spell(when) === 'dmarc:reject' && then !== 'score');
  return checks.flatMap(({ when, then }, at) =>
    then !== 'accept' || when.name === 'allowed' || (asked >= 0 && asked < at)
      ? []
      : [
          `${spell(when)} accepts before DMARC is asked, so that whom it holds for may forge any author; ` +
            'let it score, or write { when = "dmarc:reject", then = "reject" } before it',
        ],
  );
}

/** Where a policy does without the built-in checks. */
const unheard = ({ checks }: Policy): string[] =>
  (['blocked', 'allowed'] as const)
    .filter((name) => !checks.some(({ when }) => when.name === name))
    .map(
      (name) =>
        `${name === 'blocked' ? 'block' : 'allow'} lists count for nothing: no check asks for "${name}"`,
    );

/** What nobody has goes from each to the next, and comes to nobody unless one of the addresses is a mailbox. */
function warningsOfCatchAlls(domains: Config['domains']): string[] {
  const nextOf = (name: string): string | undefined => {
    const address = domains.find((domain) => domain.name === name)?.catchAll;
    return address?.slice(address.lastIndexOf('@') + 1);
  };
  return domains.flatMap(({ name }) => {
    const passed = [name];
    let next = nextOf(name);
    for (; next !== undefined && !passed.includes(next); next = nextOf(next)) passed.push(next);
    if (next !== name || passed.length < 2) return [];
    return [
      `catchAll of ${name}: ${[...passed, name].join(' → ')} is a circle; one of these addresses has to be a mailbox, or an alias`,
    ];
  });
}

const warningsOfNetworks = (networks: readonly string[]): string[] =>
  networks.flatMap((network, at) => [
    ...(networks.indexOf(network) < at ? [`trustedNetworks: ${network} is here twice`] : []),
    ...(isNetworkAddress(network)
      ? []
      : [
          `trustedNetworks: ${network} is all of the network, and not the one address in it; write the network, or /32`,
        ]),
  ]);

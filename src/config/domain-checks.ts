/** What must agree between the [[domain]] tables: names, and the domains that stand for others. */

import type { DomainDraft, Draft, Finding } from './draft.ts';

/** A domain that stands for another has these from there. */
const ofTheOther = ['postmaster', 'tagSeparator', 'catchAll', 'quotaBytes'] as const;

export const checkDomains = ({ domains }: Draft): Finding[] =>
  domains.flatMap((domain, index) =>
    [...checkAlias(domain, domains), ...checkKeys(domain)].map((finding) => ({
      ...finding,
      path: ['domain', index, ...finding.path],
    })),
  );

/** Receivers find a key by its selector, so no two can have the same (RFC 6376 §3.1). */
function checkKeys({ dkim }: DomainDraft): Finding[] {
  if (dkim?.length === 0)
    return [{ path: ['dkim'], what: 'names no key', remedy: 'Name one, or remove this line.' }];
  const selectors = (dkim ?? []).map(({ selector }) => selector);
  return selectors.flatMap((selector, index) =>
    selectors.indexOf(selector) === index
      ? []
      : [
          {
            path: ['dkim', index, 'selector'],
            what: `two keys cannot both be found at ${selector}`,
            remedy: 'Give each key a selector of its own.',
          },
        ],
  );
}

function checkAlias(domain: DomainDraft, domains: readonly DomainDraft[]): Finding[] {
  const { name, aliasOf } = domain;
  if (aliasOf === undefined) return [];
  const trouble = troubleWith(name, aliasOf, domains);
  return [
    ...(trouble ? [{ path: ['aliasOf'], ...trouble }] : []),
    ...ofTheOther
      .filter((key) => domain[key] !== undefined)
      .map((key) => ({
        path: [key],
        what: `${name ?? 'this domain'} has everything from ${aliasOf}, ${key} too`,
        remedy: `Put this line into the table of ${aliasOf}, or remove it.`,
      })),
  ];
}

function troubleWith(
  name: string | undefined,
  aliasOf: string,
  domains: readonly DomainDraft[],
): Pick<Finding, 'what' | 'remedy'> | undefined {
  if (aliasOf === name)
    return {
      what: `${aliasOf} would stand for itself`,
      remedy: 'Name another [[domain]], or remove this line.',
    };
  const other = domains.find((each) => each.name === aliasOf);
  if (other === undefined)
    return domains.some((each) => each.name === undefined)
      ? undefined
      : { what: `${aliasOf} is no [[domain]] of ours`, remedy: `Add [[domain]] name = "${aliasOf}".` };
  if (other.aliasOf === undefined) return undefined;
  return {
    what: `${aliasOf} stands for another domain itself`,
    remedy: `Name that one: aliasOf = "${other.aliasOf}".`,
  };
}

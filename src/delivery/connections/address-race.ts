/**
 * Which address of a host is tried when (RFC 8305, for hosts of mail): IPv6 and IPv4 at once, the first of them with a
 * head start; one address of each family at a time, each of them in its turn. A host of one family has no race: its
 * addresses follow each other. Decides only; `dial-first.ts` does it.
 */

import type { Endpoint } from '../../dossier/event.ts';
import { findFamily } from '../../net/addresses.ts';

/** What the address that was tried last has before the other family is tried beside it (RFC 8305 §5). */
export const headStartMs = 250;

export interface RaceState {
  /** Not tried yet, best first. */
  waiting: readonly Endpoint[];
  /** Being tried now. */
  underway: readonly Endpoint[];
  /** Of the one that was tried last. */
  headStartIsOver: boolean;
}

/** The endpoint that is to be tried now besides those that are, if it is the turn of one. */
export function nextToTry({ waiting, underway, headStartIsOver }: RaceState): Endpoint | undefined {
  if (underway.length === 0) return waiting[0];
  return headStartIsOver ? findRival(waiting, underway) : undefined;
}

/** The first of those waiting that is of a family of which none is being tried. */
export function findRival(waiting: readonly Endpoint[], underway: readonly Endpoint[]): Endpoint | undefined {
  const families = new Set(underway.map(familyOf));
  return waiting.find((endpoint) => !families.has(familyOf(endpoint)));
}

const familyOf = ({ address }: Endpoint) => findFamily(address);

/** The endpoints with the one at `address` in front, if it is among them. */
export function withFirst(endpoints: readonly Endpoint[], address: string | undefined): readonly Endpoint[] {
  const first = endpoints.find((endpoint) => endpoint.address === address);
  return first === undefined ? endpoints : [first, ...endpoints.filter((endpoint) => endpoint !== first)];
}

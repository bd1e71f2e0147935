/** What a fault of DNS is: what it changes in a model in which all is right, and what has to be found then. */

import type { FindingId } from '../../doctor/catalogue.ts';
import type { DnsModel, DnsPlaces } from '../dns-stage.ts';

/** What the faults are planted into: a right model, of this server. */
export interface Planting extends DnsModel {
  hostname: string;
  places: DnsPlaces;
  /** An IPv4 address that the server has, and an IPv6 one, if there is any. */
  four: string;
  six?: string;
  /** Of an RSA key. */
  selector: string;
  /** SHA-256 of the keys of its certificates, hexadecimal. */
  tlsKeys: readonly string[];
}

export interface Fault {
  id: FindingId;
  /** In words; with the id, unlike any other. */
  what: string;
  plant(model: Planting): void;
  /** Milder than its id is as a rule. */
  severity?: 'note';
  /** What follows from it. */
  also?: readonly FindingId[];
  /** Only where the server has an IPv6 address. */
  needsIpv6?: true;
  /** Only where the zone is not signed. */
  needsUnsigned?: true;
  /** Only where certificates come by ACME. */
  needsCaa?: true;
  /** A few words of what has to be said. */
  says?: RegExp;
}

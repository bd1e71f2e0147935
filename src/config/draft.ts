/**
 * What can be read of a configuration that may be wrong in places. Each key is read by itself, so that one bad port does
 * not hide a missing certificate: the checks between keys run on whatever is good.
 */

import type { TomlTable } from 'smol-toml';
import * as v from 'valibot';
import { type AcmeConfig, acmeShape } from './acme.ts';
import type { FilterInput } from './filter.ts';
import { isTable } from './kinds.ts';
import type { Protocol } from './listeners.ts';
import { listenerShape, standardPorts } from './listeners.ts';
import type { HostPort } from './network.ts';
import { introspectionShape } from './people.ts';
import type { KeyPath } from './problem.ts';
import type { DkimConfig } from './receiving.ts';
import {
  abuseShape,
  arcShape,
  checkShape,
  domainShape,
  filterShape,
  greylistingShape,
  policyShape,
  reportsShape,
} from './receiving.ts';
import { certificateShape, tlsShape } from './schema.ts';
import type { SecretSource } from './secret.ts';
import { deliveryShape, siteShape, sourceShape, transportShape } from './sending.ts';
import type { TransportInput } from './transport.ts';
import { hostName } from './values.ts';
import { type MtaStsConfig, webShape } from './web.ts';

export interface ListenerDraft {
  protocol?: Protocol;
  address?: string;
  /** The protocol's own where none is given. */
  port?: number;
  allowPlaintextAuth?: boolean;
  proxyProtocol?: readonly string[];
  socket?: string;
  proxied?: boolean;
}

export interface DomainDraft {
  name?: string;
  dkim?: readonly DkimConfig[];
  postmaster?: string;
  aliasOf?: string;
  tagSeparator?: string;
  catchAll?: string;
  quotaBytes?: number;
  policy?: string;
  mtaSts?: MtaStsConfig;
}

export interface PolicyDraft {
  name?: string;
  junkAt?: number;
  rejectAt?: number;
  checks?: readonly CheckDraft[];
}

export interface CheckDraft {
  then?: string;
  score?: number;
  /** Keys that are there, and whose values are no good. */
  unread?: readonly string[];
}

export interface GreylistingDraft {
  minutes?: number;
  windowHours?: number;
}

export interface AbuseDraft {
  banMinutes?: number;
  banMaxHours?: number;
}

export interface SiteDraft {
  mx?: readonly string[];
  domains?: readonly string[];
}

export interface SourceDraft {
  address?: string;
  publicAddress?: string;
  senders?: readonly string[];
}

export interface DeliveryDraft {
  port?: number;
  relayHost?: HostPort | undefined;
  caFile?: string | undefined;
  retryMinutes?: readonly number[];
  lifetimeHours?: number;
  delayWarningHours?: number;
}

export interface TransportDraft extends Partial<TransportInput> {
  /** Keys that are there, and whose values are no good: nothing is to be said of their absence. */
  unread?: readonly string[];
}

export interface FilterDraft extends Partial<FilterInput> {
  /** Keys that are there, and whose values are no good. */
  unread?: readonly string[];
}

export interface PairDraft {
  cert?: string;
  key?: string;
}

export interface CertificateDraft extends PairDraft {
  names?: readonly string[];
}

/** What is bad is left out; places in the lists stay as in the file. */
export interface Draft {
  listeners: readonly ListenerDraft[];
  domains: readonly DomainDraft[];
  policies: readonly PolicyDraft[];
  sources: readonly SourceDraft[];
  transports: readonly TransportDraft[];
  filters: readonly FilterDraft[];
  hasRelayHost: boolean;
  hostname: string | undefined;
  /** Others than our own users may send through us. */
  hasTrustedNetworks: boolean;
  /** A table that says where certificates come from is there, good or not. */
  hasTls: boolean;
  tls: PairDraft;
  certificates: readonly CertificateDraft[];
  /** Absent: there is no [acme] table. */
  acme: Partial<AcmeConfig> | undefined;
  delivery: DeliveryDraft;
  sites: readonly SiteDraft[];
  greylisting: GreylistingDraft;
  abuse: AbuseDraft;
  /** `[reports] contact`. */
  contact: string | undefined;
  /** `[oauth.introspection] clientSecretFile`. */
  clientSecretFile: SecretSource | undefined;
  /** `[arc] seal`. */
  seals: boolean;
  /** `[web] metricsTokenFile`. */
  metricsTokenFile: SecretSource | undefined;
}

/** Something wrong, before it is known in which line. */
export interface Finding {
  path: KeyPath;
  what: string;
  remedy: string;
}

/** `raw` is the parsed file, `directory` where it lies. */
export function readDraft(raw: TomlTable, directory: string): Draft {
  return {
    listeners: listOf(raw.listener).map((value) =>
      withPort(goodParts(listenerShape(directory), value), value),
    ),
    domains: listOf(raw.domain).map((value) => goodParts(domainShape(directory), value)),
    policies: listOf(raw.policy).map((value) => ({
      ...goodParts(policyShape, value),
      // Each by itself: one that is bad hides nothing of the others.
      checks: listOf(isTable(value) ? value.checks : undefined).map((check) =>
        withUnread(goodParts(checkShape, check), check),
      ),
    })),
    sources: listOf(raw.source).map((value) => goodParts(sourceShape, value)),
    transports: listOf(raw.transport).map((value) =>
      withUnread(goodParts(transportShape(directory), value), value),
    ),
    filters: listOf(raw.filter).map((value) => withUnread(goodParts(filterShape(directory), value), value)),
    hasRelayHost: isTable(raw.delivery) && raw.delivery.relayHost !== undefined,
    hostname: goodParts({ hostname: hostName() }, raw).hostname,
    hasTrustedNetworks: isTable(raw.relay) && listOf(raw.relay.trustedNetworks).length > 0,
    hasTls: raw.tls !== undefined || raw.certificate !== undefined || raw.acme !== undefined,
    tls: goodParts(tlsShape(directory), raw.tls),
    certificates: listOf(raw.certificate).map((value) => goodParts(certificateShape(directory), value)),
    acme: raw.acme === undefined ? undefined : goodParts(acmeShape(directory), raw.acme),
    delivery: goodParts(deliveryShape(directory), raw.delivery),
    greylisting: goodParts(greylistingShape, raw.greylisting),
    abuse: goodParts(abuseShape, raw.abuse),
    sites: listOf(raw.site).map((value) => goodParts(siteShape, value)),
    contact: goodParts(reportsShape, raw.reports).contact,
    clientSecretFile: isTable(raw.oauth)
      ? goodParts(introspectionShape(directory), raw.oauth.introspection).clientSecretFile
      : undefined,
    seals: goodParts(arcShape, raw.arc).seal === true,
    metricsTokenFile: goodParts(webShape(directory), raw.web).metricsTokenFile,
  };
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

function withUnread<Parts extends object>(
  parts: Parts,
  value: unknown,
): Parts & { unread?: readonly string[] } {
  const unread = isTable(value) ? Object.keys(value).filter((key) => !(key in parts)) : [];
  return unread.length === 0 ? parts : { ...parts, unread };
}

function withPort(listener: ListenerDraft, value: unknown): ListenerDraft {
  const { protocol } = listener;
  if (protocol === undefined || (isTable(value) && 'port' in value)) return listener;
  return { ...listener, port: standardPorts[protocol] };
}

/** The keys of a table that are good, by themselves, with the defaults of those that are not there. */
function goodParts<Shape extends v.ObjectEntries>(
  shape: Shape,
  value: unknown,
): { [Key in keyof Shape]?: v.InferOutput<Shape[Key]> } {
  const table = isTable(value) ? value : {};
  const parts: { [Key in keyof Shape]?: v.InferOutput<Shape[Key]> } = {};
  for (const key in shape) {
    const schema: Shape[typeof key] = shape[key];
    const result = v.safeParse(schema, table[key]);
    if (result.success) parts[key] = result.output;
  }
  return parts;
}

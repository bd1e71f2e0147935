/**
 * What can be read of a configuration that may be wrong in places. Each table is read by itself, so that one bad port
 * does not hide a missing certificate: the checks between tables run on whatever is whole.
 */

import type { TomlTable } from 'smol-toml';
import type { z } from 'zod';
import type { ListenerConfig, TlsConfig } from './config.ts';
import type { KeyPath } from './problem.ts';
import { type DomainInput, deliverySchema, domainSchema, listenerSchema, tlsSchema } from './schema.ts';

export interface Draft {
  /** Undefined where the table is not whole; places in the list stay as in the file. */
  listeners: readonly (ListenerConfig | undefined)[];
  domains: readonly (DomainInput | undefined)[];
  /** A [tls] table is there, whole or not. */
  hasTls: boolean;
  tls: TlsConfig | undefined;
  /** Path of `[delivery] caFile`. */
  caFile: string | undefined;
}

/** Something wrong, before it is known in which line. */
export interface Finding {
  path: KeyPath;
  what: string;
  remedy: string;
}

/** `raw` is the parsed file, `directory` where it lies. */
export function readDraft(raw: TomlTable, directory: string): Draft {
  const domain = domainSchema(directory);
  return {
    listeners: listOf(raw.listener).map((value) => wholeOrNothing(listenerSchema, value)),
    domains: listOf(raw.domain).map((value) => wholeOrNothing(domain, value)),
    hasTls: raw.tls !== undefined,
    tls: wholeOrNothing(tlsSchema(directory), raw.tls),
    caFile: wholeOrNothing(deliverySchema(directory), raw.delivery ?? {})?.caFile,
  };
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

function wholeOrNothing<T>(schema: z.ZodType<T>, value: unknown): T | undefined {
  const result = schema.safeParse(value);
  return result.success ? result.data : undefined;
}

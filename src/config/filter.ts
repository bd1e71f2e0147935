/** What `[[filter]]` tables come to: programs beside us that are asked what they think of a message. */

import type { FilterKind } from '../filter/fact.ts';
import type { FilterPlace, FilterTimes } from '../filter/stream.ts';

export interface FilterConfig {
  /** For dossiers, headers and policies. */
  name: string;
  kind: FilterKind;
  place: FilterPlace;
  times: FilterTimes;
  /** Larger messages are not shown to it. */
  maxBytes: number;
  /** What mail gets that it has not seen, because it does not answer. */
  whenDown: 'accept' | 'defer';
  /** It sees what our own users and trusted networks send too. */
  submission: boolean;
}

/** The keys of a table, all optional but the kind. */
export interface FilterInput {
  kind: FilterKind;
  name?: string;
  host?: string;
  port?: number;
  socket?: string;
  timeoutSeconds?: number;
  totalSeconds?: number;
  maxBytes?: number;
  whenDown?: 'accept' | 'defer';
  submission?: boolean;
}

/** By custom; there is none for milters. */
const filterPorts = { clamd: 3310, rspamd: 11333 } as const;

const mib = 2 ** 20;

/** clamd ends at its StreamMaxLength, rspamd at its max_message; these are their own defaults. */
const defaultMaxBytes: Record<FilterKind, number> = { milter: 50 * mib, rspamd: 50 * mib, clamd: 25 * mib };

const defaultTimeoutSeconds = 30;
/** A client waits ten minutes for the reply to its message (RFC 5321 §4.5.3.2.6), and filters may come after one another. */
const defaultTotalSeconds = 120;

export const filterName = ({ name, kind }: Pick<FilterInput, 'name' | 'kind'>): string => name ?? kind;

/** Fills in the defaults. What must be there and is not was told by filter-checks.ts: such a table is not used. */
export function completeFilter(input: FilterInput): FilterConfig {
  const { kind, host = '127.0.0.1', socket, whenDown = 'accept', submission = false } = input;
  const { port = kind === 'milter' ? 0 : filterPorts[kind] } = input;
  const { timeoutSeconds = defaultTimeoutSeconds, totalSeconds = defaultTotalSeconds } = input;
  return {
    name: filterName(input),
    kind,
    place: socket === undefined ? { host, port } : { socket },
    times: { stageMs: timeoutSeconds * 1000, totalMs: Math.max(totalSeconds, timeoutSeconds) * 1000 },
    maxBytes: input.maxBytes ?? defaultMaxBytes[kind],
    whenDown,
    submission,
  };
}

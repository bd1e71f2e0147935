/** Whether a filter is there and is what the configuration says, without a message. */

import type { FilterConfig } from '../../config/filter.ts';
import { ask } from '../../filter/clamd/clamd.ts';
import { MilterSession } from '../../filter/milter/session.ts';
import {
  bounded,
  Deadline,
  FilterError,
  type FilterStream,
  type OpenFilterStream,
} from '../../filter/stream.ts';
import type { PostToFilter } from '../../net/http-post.ts';
import type { Clock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';

export interface ProbeParts {
  open: OpenFilterStream;
  post: PostToFilter;
  clock: Clock;
}

/** What it says of itself, or what is wrong. */
export type Probed = { answer: string } | { problem: string };

export async function probeFilter(parts: ProbeParts, filter: FilterConfig): Promise<Probed> {
  try {
    return { answer: await (filter.kind === 'rspamd' ? ping(parts, filter) : talk(parts, filter)) };
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    return { problem: error.message };
  }
}

/** The same of all, for the log. */
export async function probeAll(
  parts: ProbeParts & { filters: readonly FilterConfig[] },
  log: Log,
): Promise<void> {
  const probes = parts.filters.map(async (filter) => {
    const probed = await probeFilter(parts, filter);
    if ('answer' in probed) log.info({ filter: filter.name, answer: probed.answer }, 'a filter is there');
    else log.warn({ filter: filter.name, problem: probed.problem }, 'a filter does not answer');
  });
  await Promise.all(probes);
}

async function talk({ open, clock }: ProbeParts, { kind, place, times }: FilterConfig): Promise<string> {
  const deadline = new Deadline(clock.now, times);
  const stream = await open(place, deadline.leftMs());
  try {
    return kind === 'clamd' ? await ask(stream, 'VERSION', deadline) : await negotiate(stream, deadline);
  } finally {
    stream.close();
  }
}

async function negotiate(stream: FilterStream, deadline: Deadline): Promise<string> {
  const session = await MilterSession.open(stream, deadline);
  await session.quit(deadline.leftMs());
  return `a milter, protocol version ${session.version}`;
}

/** Octets of an answer to a ping. */
const maxPingBytes = 1024;

async function ping({ post }: ProbeParts, { place, times }: FilterConfig): Promise<string> {
  const { status, headers, body } = await post({
    place,
    path: '/ping',
    headers: {},
    body: (async function* () {})(),
    bodyBytes: 0,
    maxBytes: maxPingBytes,
    timeoutMs: times.stageMs,
  });
  if (status !== 200 || !/^pong\s*$/.test(body.toString()))
    throw new FilterError('lied', `it answers a ping with ${status} ${bounded(body.toString(), 60)}`);
  return bounded([headers.server ?? 'rspamd'].flat().join(' '));
}

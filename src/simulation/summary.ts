/** What a simulation came to, as data and in words. */

import { plural, spanOf } from '../dossier/words.ts';
import type { Simulation } from './simulate.ts';
import type { Tally } from './tally.ts';

/** Times in ms since the beginning of the scenario. */
export interface SimulationSummary {
  /** When the last message had left; null where some wait still. */
  drainedAfterMs: number | null;
  simulatedMs: number;
  messages: number;
  waiting: number;
  receivers: ReceiverSummary[];
}

export interface ReceiverSummary {
  domain: string;
  /** Receivers of one site share its limits. */
  site: string;
  messages: number;
  delivered: number;
  /** For good, by the receiver. */
  refused: number;
  /** Their time was over. */
  gaveUp: number;
  waiting: number;
  attempts: number;
  /** Attempts that did not deliver. */
  retries: number;
  probes: number;
  /** Put off without an attempt while the site was in trouble. */
  notTried: number;
  peakConnections: number;
  longestWaitMs: number;
  drainedAfterMs: number | null;
}

/** To be asked for when the simulation is over. */
export function summaryOf(simulation: Simulation): SimulationSummary {
  const { startAt, now, waiting, tallies } = simulation;
  const receivers = tallies.map((tally) => summaryOfReceiver(tally, startAt));
  const drained = receivers.map(({ drainedAfterMs }) => drainedAfterMs ?? 0);
  return {
    drainedAfterMs: waiting > 0 ? null : Math.max(0, ...drained),
    simulatedMs: now - startAt,
    messages: receivers.reduce((sum, { messages }) => sum + messages, 0),
    waiting,
    receivers,
  };
}

function summaryOfReceiver(tally: Tally, startAt: number): ReceiverSummary {
  const { script, site, messages, delivered, refused, gaveUp, waiting, attempts, retries } = tally;
  const { probes, notTried, peakConnections, longestWaitMs, drainedAt } = tally;
  return {
    domain: script.domain,
    site,
    messages,
    delivered,
    refused,
    gaveUp,
    waiting,
    attempts,
    retries,
    probes,
    notTried,
    peakConnections,
    longestWaitMs,
    drainedAfterMs: drainedAt === undefined ? null : drainedAt - startAt,
  };
}

const many = (count: number): string => count.toLocaleString('en-US');

/** For people; with a final newline. */
export function formatSummary({
  drainedAfterMs,
  simulatedMs,
  messages,
  waiting,
  receivers,
}: SimulationSummary) {
  const isAllThrough = receivers.every(({ delivered, messages: all }) => delivered === all);
  const end =
    drainedAfterMs === null
      ? `${many(waiting)} of ${many(messages)} messages wait still after ${spanOf(simulatedMs)}.`
      : isAllThrough
        ? `All ${many(messages)} messages are through after ${spanOf(drainedAfterMs)}.`
        : `Of ${many(messages)} messages none waits any more after ${spanOf(drainedAfterMs)}; not all are through.`;
  return `${end}\n\n${receivers.map(formatReceiver).join('\n')}`;
}

function formatReceiver(receiver: ReceiverSummary): string {
  const { domain, site, messages, delivered, attempts, drainedAfterMs, peakConnections } = receiver;
  const through =
    drainedAfterMs === null
      ? `${many(receiver.waiting)} wait still`
      : `${delivered === messages ? 'through' : 'none left'} after ${spanOf(drainedAfterMs)}`;
  const ends = [
    `${many(delivered)} delivered`,
    ...(receiver.refused > 0 ? [`${many(receiver.refused)} refused for good`] : []),
    ...(receiver.gaveUp > 0 ? [`${many(receiver.gaveUp)} given up`] : []),
  ];
  const lines = [
    `${domain}: ${many(messages)} messages, ${through}`,
    `  ${ends.join(', ')}; the longest wait ${spanOf(receiver.longestWaitMs)}`,
    `  ${many(attempts)} attempts: ${many(receiver.retries)} retries spent, ${many(receiver.probes)} probes; put off without an attempt: ${many(receiver.notTried)}`,
    `  ${plural(peakConnections, 'connection')} at once at most${site === domain ? '' : `; site: ${site}`}`,
  ];
  return `${lines.join('\n')}\n`;
}

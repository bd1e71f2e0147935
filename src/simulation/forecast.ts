/**
 * When a message that waits is likely to go: the schedule is played on from how its site stands, under a virtual clock, as
 * if the site took everything from the next attempt on. The answer is a guess, with what it rests on.
 */

import type { SiteOutlook } from '../queue/outlook.ts';
import { Simulation } from './simulate.ts';

export interface ForecastRequest {
  /** By the server's clock. */
  now: number;
  outlook: SiteOutlook;
  destination: string;
  /** When it may be tried. */
  nextAttemptAt: number;
  /** Messages of its destination that wait in the store: those that are due before it, and others that are due, too. */
  ahead: number;
  behind: number;
  /** Deliveries at once, of the whole server. */
  concurrency: number;
}

/** A site's attempts take about so long where none has ended yet. */
const usualMs = 2000;

/** Others that are played; with more, the time is counted from these. */
const maxOthers = 20_000;

/** Moments of the schedule that are played at most. */
const maxSteps = 500_000;

/** When its attempt begins, ms since the epoch; undefined where that is not to be said. */
export function forecast(request: ForecastRequest): number | undefined {
  const { now, outlook, destination, nextAttemptAt, concurrency } = request;
  const isInLine = outlook.ahead !== undefined;
  const { ahead, behind } = isInLine ? { ahead: 0, behind: 0 } : request;
  const inLine = outlook.ahead ?? outlook.waiting;
  const share = Math.min(1, maxOthers / Math.max(1, inLine + ahead + behind));
  const played = (count: number) => Math.round(share * count);
  const simulation = new Simulation(
    scenarioOf(outlook, { destination, concurrency }),
    now,
    () => outlook.limits,
  );
  const startsAt = simulation.resume(outlook, {
    inLine: played(inLine),
    ahead: played(ahead),
    behind: played(behind),
    nextAttemptAt: isInLine ? undefined : Math.max(now, nextAttemptAt),
  });
  for (let left = maxSteps; startsAt() === undefined && left > 0; left--) if (!simulation.play(1)) break;
  const found = startsAt();
  return found && now + (found - now) / share;
}

function scenarioOf(
  { site, meanMs = usualMs }: SiteOutlook,
  { destination, concurrency }: Pick<ForecastRequest, 'destination' | 'concurrency'>,
) {
  return {
    seed: 1,
    lengthMs: 30 * 24 * 3600_000,
    delivery: {
      concurrency,
      permanentFailures: 'careful' as const,
      retryMinutes: [5],
      lifetimeHours: 1000,
      delayWarningHours: 0,
      doubtMinutes: 0,
    },
    sites: [],
    receivers: [
      {
        domain: destination,
        mx: [site],
        queued: 0,
        perMinute: 0,
        arrivalsMs: 0,
        senders: 1,
        latencyMs: Math.max(1, Math.round(meanMs)),
        greylistMs: 0,
        phases: [],
      },
    ],
  };
}

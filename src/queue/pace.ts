/**
 * How fast one receiving site is served: how many attempts at once, which it shows by its answers, and how many in an
 * hour, which the operator says. Pure; times in ms since the epoch.
 */

/** What a site may get at most. */
export interface SiteLimits {
  /** Attempts at once. */
  connections: number;
  /** Attempts at once in the beginning, and after trouble. */
  start: number;
  /** In any hour; without it as many as the site takes. */
  messagesPerHour?: number;
}

export interface Pace {
  /** Attempts at once, for now. */
  allowed: number;
  /** Attempts that were answered while all places were in use, since `allowed` changed last. */
  answered: number;
  /** Attempts that began before `allowed` was made less: what they are refused is no news. */
  echoes: number;
  /** With `messagesPerHour`: when the next attempt would be due if they came evenly. */
  evenAt: number;
}

/** A site that nothing is known of gets two places: with one alone, a slow message would hold up all others. */
export const firstConnections = 2;

const hourMs = 3600_000;

export const newPace = ({ connections, start }: SiteLimits): Pace => ({
  allowed: Math.max(1, Math.min(connections, start)),
  answered: 0,
  echoes: 0,
  evenAt: Number.NEGATIVE_INFINITY,
});

/** The site answered; after a round of answers with all places in use it gets one place more. */
export function grow(pace: Pace, { connections }: SiteLimits, wasFull: boolean): void {
  if (pace.echoes > 0) pace.echoes--;
  if (!wasFull || pace.allowed >= connections) return;
  pace.answered++;
  if (pace.answered < pace.allowed) return;
  pace.allowed++;
  pace.answered = 0;
}

/** The site refused an attempt, and `others` are under way: half the places, once for all that began before. */
export function shrink(pace: Pace, others: number): void {
  if (pace.echoes > 0) {
    pace.echoes--;
    return;
  }
  pace.allowed = Math.max(1, Math.floor(pace.allowed / 2));
  pace.answered = 0;
  pace.echoes = others;
}

/** After trouble a site begins anew, or with less where it had less. */
export function restart(pace: Pace, limits: SiteLimits): void {
  pace.allowed = Math.min(pace.allowed, newPace(limits).allowed);
  pace.answered = 0;
  pace.echoes = 0;
}

/** Of a limit by the hour, a minute's worth may go at once. */
const burstOf = (messagesPerHour: number): number => Math.max(1, Math.floor(messagesPerHour / 60));

/** Time between two messages: such that no hour ever has more than the limit, with a burst at its beginning. */
const intervalOf = (messagesPerHour: number): number =>
  hourMs / (messagesPerHour - burstOf(messagesPerHour) + 1);

/** When the hour's limit allows the next attempt; in the past where there is none. */
export function allowedFrom({ evenAt }: Pace, { messagesPerHour }: SiteLimits): number {
  if (messagesPerHour === undefined) return Number.NEGATIVE_INFINITY;
  return evenAt - (burstOf(messagesPerHour) - 1) * intervalOf(messagesPerHour);
}

/** An attempt begins. */
export function spend(pace: Pace, { messagesPerHour }: SiteLimits, now: number): void {
  if (messagesPerHour !== undefined) pace.evenAt = Math.max(now, pace.evenAt) + intervalOf(messagesPerHour);
}

/** How long so many messages take by the hour's limit. */
export const timeFor = ({ messagesPerHour }: SiteLimits, messages: number): number =>
  messagesPerHour === undefined ? 0 : messages * intervalOf(messagesPerHour);

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
  /** So many at once were refused, and have not been taken for a round since. */
  ceiling: number;
  /** Rounds of answers until as many are tried again. */
  patience: number;
  /** Attempts that began before `allowed` was made less: what they are refused is no news. */
  echoes: number;
  /** With `messagesPerHour`: when the next attempt would be due if they came evenly. */
  evenAt: number;
}

/** What was refused is tried again after so many rounds, and after twice as many each time. */
const firstPatience = 8;
const mostPatience = 512;

/** A site that nothing is known of gets two places: with one alone, a slow message would hold up all others. */
export const firstConnections = 2;

const hourMs = 3600_000;

export const newPace = ({ connections, start }: SiteLimits): Pace => ({
  allowed: Math.max(1, Math.min(connections, start)),
  answered: 0,
  ceiling: Number.POSITIVE_INFINITY,
  patience: 1,
  echoes: 0,
  evenAt: Number.NEGATIVE_INFINITY,
});

/** The limit is another one. */
export function cap(pace: Pace, { connections }: SiteLimits): void {
  pace.allowed = Math.max(1, Math.min(pace.allowed, connections));
}

/** The site answered; after a round of answers with all places in use it gets one place more. */
export function grow(pace: Pace, { connections }: SiteLimits, wasFull: boolean): void {
  if (pace.echoes > 0) pace.echoes--;
  if (!wasFull) return;
  pace.answered++;
  const isRound = pace.answered >= pace.allowed;
  if (isRound && pace.allowed >= pace.ceiling) {
    pace.ceiling = Number.POSITIVE_INFINITY;
    pace.patience = 1;
  }
  if (pace.allowed >= connections) return;
  const rounds = pace.allowed + 1 < pace.ceiling ? 1 : pace.patience;
  if (pace.answered < rounds * pace.allowed) return;
  pace.allowed++;
  pace.answered = 0;
}

/**
 * The site refused an attempt, and `others` are under way. A place that was new is taken back; where as many were taken
 * before, it has less for us now: half. Once for all that began before.
 */
export function shrink(pace: Pace, others: number): void {
  if (pace.echoes > 0) {
    pace.echoes--;
    return;
  }
  const { allowed, answered, ceiling, patience } = pace;
  const wasNew = answered < allowed && allowed > 1;
  pace.allowed = wasNew ? allowed - 1 : Math.max(1, Math.floor(allowed / 2));
  pace.patience = allowed === ceiling ? Math.min(2 * patience, mostPatience) : firstPatience;
  pace.ceiling = allowed;
  pace.answered = 0;
  pace.echoes = others;
}

/** After trouble a site begins anew, or with less where it had less. */
export function restart(pace: Pace, limits: SiteLimits): void {
  pace.allowed = Math.min(pace.allowed, newPace(limits).allowed);
  pace.answered = 0;
  pace.echoes = 0;
}

/** Of a limit by the hour, ten seconds' worth may go at once. */
const burstOf = (messagesPerHour: number): number => Math.max(1, Math.floor(messagesPerHour / 360));

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

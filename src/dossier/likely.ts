/** When a waiting recipient's mail is likely to go, in words. Told what is known; works nothing out. */

import { durationOf, plural, timeOf } from './words.ts';

export interface Likely {
  recipient: string;
  /** By the server's clock. */
  now: number;
  /** When its attempt is likely to begin; absent where that is not to be said. */
  at?: number;
  /** It is being tried. */
  isUnderWay: boolean;
  isServerRunning: boolean;
  heldBy?: string;
  suspended?: { what: string; until?: number };
  /** When it may be tried, whatever its site says. */
  nextAttemptAt: number;
  expiresAt: number;
  /** Others that go before it. */
  ahead: number;
  site?: {
    name: string;
    /** No route was found: which site it would be is not known. */
    isUnknown?: true;
    messagesPerHour?: number;
    trouble?: { kind: 'down' | 'busy'; until: number; reason: string };
  };
}

/** A sentence, without its end. Times of the day are UTC. */
export function likelyText(likely: Likely): string {
  const { recipient, now, at, heldBy, nextAttemptAt, expiresAt, isUnderWay, isServerRunning } = likely;
  if (heldBy !== undefined) return `${recipient} is on hold (by ${heldBy}): it goes when it is released`;
  if (likely.suspended) {
    const { what, until } = likely.suspended;
    const end = until === undefined ? 'until it is resumed' : `until ${clockOf(until, now)}`;
    return `${recipient} waits, for ${what} is suspended ${end}`;
  }
  if (isUnderWay) return `${recipient} is being tried now`;
  if (!isServerRunning) {
    const due = nextAttemptAt <= now ? 'is due' : `is due at ${clockOf(nextAttemptAt, now)}`;
    return `${recipient} ${due}, but no server is running`;
  }
  const why = reasonsOf(likely);
  const reasons = why.length > 0 ? `: ${why.join(', ')}` : '';
  if (at === undefined || at > expiresAt)
    return `${recipient} is not likely to go before its end at ${clockOf(expiresAt, now)}${reasons}`;
  if (at - now < 1000) return `${recipient} is likely to go now${reasons}`;
  return `${recipient} is likely to go in about ${durationOf(at - now)} (${clockOf(at, now)})${reasons}`;
}

function reasonsOf({ now, nextAttemptAt, ahead, site }: Likely): string[] {
  const { name, isUnknown, trouble, messagesPerHour } = site ?? {};
  const isDown = trouble !== undefined && trouble.until > now;
  const where = isUnknown ? 'its site' : `the site ${name}`;
  const told =
    trouble?.kind === 'busy'
      ? 'is slowed down, as it asked,'
      : `could not be ${isUnknown ? 'found out' : 'reached'}, and is left alone`;
  return [
    ...(isDown ? [`${where} ${told} until ${clockOf(trouble.until, now)} (${trouble.reason})`] : []),
    ...(nextAttemptAt > now ? [`its next attempt is planned for ${clockOf(nextAttemptAt, now)}`] : []),
    ...(messagesPerHour !== undefined && ahead > 0
      ? [`${name} gets ${messagesPerHour} messages an hour`]
      : []),
    ...(ahead > 0 ? [`${plural(ahead, 'other')} before it`] : []),
  ];
}

const dayMs = 24 * 3600_000;

/** `12:04:10 UTC`, with the day where that is another one. */
function clockOf(at: number, now: number): string {
  const day =
    Math.floor(at / dayMs) === Math.floor(now / dayMs) ? '' : `${new Date(at).toISOString().slice(0, 10)} `;
  return `${day}${timeOf(at).slice(0, 8)} UTC`;
}

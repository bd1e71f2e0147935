/** Names for messages: 14 characters of Crockford's base 32, ordered by time, unique within a server. */

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

export type QueueIds = () => string;

function base32(value: number, length: number): string {
  let text = '';
  for (let rest = value; text.length < length; rest = Math.floor(rest / 32))
    text = alphabet[rest % 32] + text;
  return text;
}

/**
 * Makes a generator: 9 characters of milliseconds (until the year 3084), 3 of a counter that starts anew each
 * millisecond, 2 drawn once per process. Ids of one generator rise strictly, also when the clock steps back.
 */
export function queueIds(now: () => number, random: () => number): QueueIds {
  const suffix = base32(Math.floor(random() * 1024), 2);
  let lastMs = 0;
  let count = 0;
  return () => {
    const nowMs = Math.max(now(), lastMs);
    count = nowMs === lastMs ? count + 1 : 0;
    lastMs = nowMs;
    if (count === 32_768) {
      lastMs += 1;
      count = 0;
    }
    return base32(lastMs, 9) + base32(count, 3) + suffix;
  };
}

/** No id that was made at `ms` (milliseconds since the epoch) or later is less than this. */
export const firstIdAt = (ms: number): string => base32(Math.max(0, Math.floor(ms)), 9);

/** When an id was made, in milliseconds since the epoch; undefined for what is none. */
export function queueIdTime(id: string): number | undefined {
  if (!/^[0-9A-HJKMNP-TV-Z]{14}$/.test(id)) return undefined;
  let ms = 0;
  for (const character of id.slice(0, 9)) ms = ms * 32 + alphabet.indexOf(character);
  return ms;
}

/** An id of a moment, drawn by a number of 25 bits or more instead of a generator. */
export const encodeId = (ms: number, drawn: number): string =>
  base32(Math.max(0, Math.floor(ms)), 9) + base32(drawn, 5);

/**
 * How much one user sends, and what becomes of it: recipients of the last hour, the most within an hour on each of the last 30
 * days, and of the last day's outcomes those that nobody has. Plain data of bounded size, and functions of it and the time.
 */

export interface Volume {
  /** Recipients by five minutes: when these began, and how many. The last hour. */
  slots: [start: number, recipients: number][];
  /** By UTC day: the most within an hour. */
  days: [start: number, peak: number][];
  /** By hour: recipients of whom it is known what became, and those among them that nobody has. The last day. */
  outcomes: [start: number, ended: number, bounced: number][];
  /** Where it came from last: an address, recipients, when. */
  clients: [address: string, recipients: number, at: number][];
  /** The same of the app passwords that it came by; absent where there were none. */
  appPasswords?: [name: string, recipients: number, at: number][];
  /** Some of the last ones. */
  recipients: string[];
}

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

const slotMs = 5 * minute;
/** A peak counts for so long. */
export const peakDays = 30;
/** Outcomes count for so long. */
export const outcomesMs = day;
const maxClients = 8;
const maxRecipients = 5;

export const emptyVolume = (): Volume => ({ slots: [], days: [], outcomes: [], clients: [], recipients: [] });

/** Recipients within the last hour. */
export function ofLastHour({ slots }: Volume, now: number): number {
  return slots.reduce((sum, [start, count]) => (start > now - hour && start <= now ? sum + count : sum), 0);
}

/** The most within an hour, on the 30 days before this one: what is going on now is no measure for itself. */
export function peakBefore({ days }: Volume, now: number): number {
  const today = startOf(now, day);
  const isCounted = (start: number) => start < today && start >= today - peakDays * day;
  return days.reduce((most, [start, peak]) => (isCounted(start) ? Math.max(most, peak) : most), 0);
}

/** Counts what was sent; a negative number takes it back. */
export function addSent(volume: Volume, recipients: number, now: number): void {
  addTo(
    volume.slots,
    startOf(now, slotMs),
    (slot) => {
      slot[1] = Math.max(0, slot[1] + recipients);
    },
    () => [startOf(now, slotMs), Math.max(0, recipients)],
  );
  volume.slots = volume.slots.filter(([start]) => start > now - hour);
  notePeak(volume, ofLastHour(volume, now), now);
}

export function notePeak(volume: Volume, count: number, now: number): void {
  const today = startOf(now, day);
  addTo(
    volume.days,
    today,
    (known) => {
      known[1] = Math.max(known[1], count);
    },
    () => [today, count],
  );
  volume.days = volume.days.filter(([start]) => start >= today - peakDays * day);
}

/** Remembers where something came from, and for whom. */
export function noteEvidence(
  volume: Volume,
  {
    client,
    appPassword,
    recipients,
  }: { client: string; appPassword?: string; recipients: readonly string[] },
  now: number,
): void {
  const seen = { count: recipients.length, now };
  volume.clients = withSeen(volume.clients, client, seen);
  if (appPassword !== undefined) volume.appPasswords = withSeen(volume.appPasswords ?? [], appPassword, seen);
  volume.recipients = [...new Set([...recipients, ...volume.recipients])].slice(0, maxRecipients);
}

/** The last one first. */
function withSeen(
  list: Volume['clients'],
  name: string,
  { count, now }: { count: number; now: number },
): Volume['clients'] {
  const known = list.find(([each]) => each === name);
  const others = list.filter(([each, , at]) => each !== name && at > now - day);
  const before = known && known[2] > now - day ? known[1] : 0;
  const newest: Volume['clients'][number] = [name, before + count, now];
  return [newest, ...others].slice(0, maxClients);
}

export function addOutcomes(volume: Volume, ended: number, bounced: number, now: number): void {
  const start = startOf(now, hour);
  addTo(
    volume.outcomes,
    start,
    (known) => {
      known[1] += ended;
      known[2] += bounced;
    },
    () => [start, ended, bounced],
  );
  volume.outcomes = volume.outcomes.filter(([start]) => start > now - outcomesMs);
}

export function ofLastDay({ outcomes }: Volume, now: number): { ended: number; bounced: number } {
  const total = { ended: 0, bounced: 0 };
  for (const [start, ended, bounced] of outcomes) {
    if (start <= now - outcomesMs) continue;
    total.ended += ended;
    total.bounced += bounced;
  }
  return total;
}

const startOf = (at: number, lengthMs: number): number => at - (at % lengthMs);

/** The newest one comes last. */
function addTo<T extends [number, ...number[]]>(
  list: T[],
  start: number,
  change: (item: T) => void,
  make: () => T,
): void {
  const last = list.at(-1);
  if (last?.[0] === start) change(last);
  else list.push(make());
}

/**
 * When a message is to be sent and delivered, as parameters of MAIL at submission: HOLDFOR and HOLDUNTIL (RFC 4865), BY
 * (RFC 2852), MT-PRIORITY (RFC 6710).
 */

import type { Parameters } from './command.ts';
import { type Reply, reply } from './reply.ts';

/** What the sender asks of when; times count from when the message is accepted. */
export interface SchedulingRequests {
  /** Not sent for so long, or before this moment (ms since the epoch). */
  hold?: { seconds: number } | { until: number };
  by?: DeliverBy;
  /** -9 to 9; 0 is what mail without it has. */
  priority?: number;
}

/** BY (RFC 2852 §4). */
export interface DeliverBy {
  /** From now on. */
  seconds: number;
  /** Returned when the time is over, or only told of. */
  mode: 'R' | 'N';
  /** The sender wants to hear where it was passed on. */
  trace?: true;
}

/** What is offered. */
export interface SchedulingTerms {
  /** The longest time that a message is held. */
  holdSeconds: number;
}

/** Keywords of MAIL that are known where scheduling is offered. */
export const schedulingKeywords: readonly string[] = ['HOLDFOR', 'HOLDUNTIL', 'BY', 'MT-PRIORITY'];

/** Lines of EHLO (RFC 4865 §3: the longest interval, and the last moment). */
export function schedulingExtensions({ holdSeconds }: SchedulingTerms, now: number): string[] {
  const last = dateTime(now + holdSeconds * 1000);
  const release = holdSeconds > 0 ? [`FUTURERELEASE ${holdSeconds} ${last}`] : [];
  return [...release, 'DELIVERBY', 'MT-PRIORITY'];
}

const dateTime = (at: number): string => new Date(at).toISOString().replace(/\.\d+/, '');

const syntaxError = (text: string): Reply => reply(501, '5.5.4', text);

/** The reply that refuses them, or undefined. */
export function checkScheduling(
  parameters: Parameters,
  { holdSeconds }: SchedulingTerms,
  now: number,
): Reply | undefined {
  const { hold, by, priority } = read(parameters);
  if (hold === 'wrong' || (parameters.has('HOLDFOR') && parameters.has('HOLDUNTIL')))
    return syntaxError('Give HOLDFOR=seconds, or HOLDUNTIL=2030-12-31T08:00:00Z');
  if (by === 'wrong')
    return syntaxError(
      'BY takes seconds;R or seconds;N, with a T behind for a trace; R needs time (RFC 2852)',
    );
  if (priority === 'wrong') return syntaxError('MT-PRIORITY takes -9 to 9');
  const heldMs = hold === undefined ? 0 : 'until' in hold ? hold.until - now : hold.seconds * 1000;
  if (heldMs > holdSeconds * 1000)
    return reply(501, '5.5.4', `Messages are held for ${holdSeconds} seconds at most; see EHLO`);
  if (by?.mode === 'R' && heldMs >= by.seconds * 1000)
    return syntaxError('The message would be held until after the time by which it is to be delivered');
  return undefined;
}

/** What parameters that passed the check ask for. */
export function readScheduling(parameters: Parameters): SchedulingRequests {
  const { hold, by, priority } = read(parameters);
  return {
    ...(hold !== undefined && hold !== 'wrong' && { hold }),
    ...(by !== undefined && by !== 'wrong' && { by }),
    ...(priority !== undefined && priority !== 'wrong' && { priority }),
  };
}

type Read<T> = T | 'wrong' | undefined;

const read = (parameters: Parameters) => ({
  hold: readHold(parameters.get('HOLDFOR'), parameters.get('HOLDUNTIL')),
  by: readBy(parameters.get('BY')),
  priority: readPriority(parameters.get('MT-PRIORITY')),
});

function readHold(
  seconds: string | undefined,
  until: string | undefined,
): Read<NonNullable<SchedulingRequests['hold']>> {
  if (seconds !== undefined) return /^[1-9]\d{0,8}$/.test(seconds) ? { seconds: Number(seconds) } : 'wrong';
  if (until === undefined) return undefined;
  // RFC 3339 §5.6, as RFC 4865 §4 has it.
  const isDate = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i.test(until);
  const at = isDate ? Date.parse(until.toUpperCase()) : Number.NaN;
  return Number.isNaN(at) ? 'wrong' : { until: at };
}

/** `["-" / "+"] 1*9DIGIT ";" ("N" / "R") ["T"]`; with R there must be time left (RFC 2852 §4). */
function readBy(by: string | undefined): Read<DeliverBy> {
  if (by === undefined) return undefined;
  const [, digits, mode, trace] = /^([+-]?\d{1,9});([NR])(T?)$/i.exec(by) ?? [];
  const seconds = Number(digits);
  if (digits === undefined || mode === undefined) return 'wrong';
  const isReturn = mode.toUpperCase() === 'R';
  if (isReturn && seconds <= 0) return 'wrong';
  return { seconds, mode: isReturn ? 'R' : 'N', ...(trace && { trace: true }) };
}

function readPriority(priority: string | undefined): Read<number> {
  if (priority === undefined) return undefined;
  return /^-?\d$/.test(priority) ? Number(priority) || 0 : 'wrong';
}

/** Passed on to who offers them; what is left of the time is (RFC 2852 §4.1, RFC 6710 §4). */
export function schedulingParameters(
  { by, priority }: SchedulingRequests,
  offers: (keyword: string) => boolean,
): string {
  const time = by && offers('DELIVERBY') ? ` BY=${byOnTheWire(by)}` : '';
  return priority !== undefined && offers('MT-PRIORITY') ? `${time} MT-PRIORITY=${priority}` : time;
}

const byOnTheWire = ({ seconds, mode, trace }: DeliverBy): string =>
  `${mode === 'R' ? Math.max(1, seconds) : seconds};${mode}${trace ? 'T' : ''}`;

/** Why a receiver cannot keep that time, or undefined (RFC 2852 §3: the least that it promises to keep). */
export function timeFault({ by }: SchedulingRequests, least: string | undefined): string | undefined {
  const leastSeconds = /^\d{1,9}$/.test(least ?? '') ? Number(least) : 0;
  return by?.mode === 'R' && by.seconds < leastSeconds
    ? `the receiver promises no delivery within ${by.seconds} seconds, but within ${leastSeconds}`
    : undefined;
}

/** Times, sizes and endpoints in words, for the timeline. */

import type { DialogueLine, Endpoint, EventOf, TlsFacts } from './event.ts';

const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** `2026-04-12`, in UTC. */
export const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

/** `03:28:01.120`, in UTC. */
export const timeOf = (at: number): string => new Date(at).toISOString().slice(11, 23);

/** `15 minutes`; two units at most make no difference to anyone who waits. */
export function durationOf(ms: number): string {
  // A clock that went back makes nothing last less than no time.
  if (ms < 90 * secondMs) return plural(Math.max(0, Math.round(ms / secondMs)), 'second');
  if (ms < 90 * minuteMs) return plural(Math.round(ms / minuteMs), 'minute');
  if (ms < 36 * hourMs) return plural(Math.round(ms / hourMs), 'hour');
  return plural(Math.round(ms / dayMs), 'day');
}

/** `2 h 51 min`: for who compares. */
export function spanOf(ms: number): string {
  if (ms < 100 * secondMs) return `${Math.round(ms / secondMs)} s`;
  const minutes = Math.round(ms / minuteMs);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  const of = (count: number, unit: string) => (count === 0 ? '' : ` ${count} ${unit}`);
  if (hours < 48) return `${hours} h${of(minutes % 60, 'min')}`;
  return `${Math.floor(hours / 24)} d${of(hours % 24, 'h')}`;
}

/** `2026-04-12 03:43:01 UTC, in 15 minutes`. */
export const momentOf = (at: number, now: number): string =>
  `${dayOf(at)} ${timeOf(at).slice(0, 8)} UTC, in ${durationOf(at - now)}`;

export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** `1,234 octets`. */
export const sizeOf = (octets: number): string =>
  `${octets.toLocaleString('en-US')} octet${octets === 1 ? '' : 's'}`;

/** `mx.example.net (192.0.2.1 port 25)`. */
export function placeOf({ host, address, port, implicitTls }: Endpoint): string {
  if (address.startsWith('/')) return `socket ${address}`;
  return `${host} (${address} port ${port}${implicitTls ? ', TLS from the first octet' : ''})`;
}

/** `<a@example.com>`; the null sender is `<>`, the mark of a report that must not be answered. */
export const pathOf = (address: string): string =>
  address === '' ? '<> (no sender: a report)' : `<${address}>`;

export const pathsOf = (addresses: readonly string[]): string =>
  addresses.map((address) => `<${address}>`).join(', ');

/** What protected the connection, and whether we knew who was at the other end. */
export function tlsOf({ version, cipher, certificate, resumed }: TlsFacts): string {
  const identity = certificate === undefined ? '' : `; certificate: ${certificate}`;
  const again = resumed ? ', an earlier session taken up again' : '';
  return `encrypted: ${version}, ${cipher}${again}${identity}`;
}

/** Why a transport takes a recipient: what the configuration has it for. */
export function reasonForTransport({ domains, sender }: { domains: string; sender?: string }): string {
  const whom = domains === '*' ? 'everything that has no transport of its own' : domains;
  return `the configuration has it for ${whom}${sender === undefined ? '' : `, sent by ${sender}`}`;
}

type Client = NonNullable<EventOf<'accepted'>['data']['client']>;

/** The name is there only where it was looked up and confirmed: not for our users, nor for trusted networks. */
export const clientOf = ({ address, helo, reverseName }: Client): string =>
  `${reverseName ? `${reverseName} ` : ''}[${address}], calling itself ${helo === '' ? '(nothing)' : helo}`;

export const why = (rule: string): string => `why: ${rule}`;

export const withDialogue = (dialogue: readonly DialogueLine[] | undefined) =>
  dialogue === undefined ? {} : { dialogue };

/**
 * What mail programs are to be told of this server: which services there are, where, and how they are encrypted. One source
 * for all that tells them: autoconfig, autodiscover, profiles, SRV records. What the listeners do is what is told.
 */

import type { Config } from './config.ts';

export type ClientProtocol = 'submissions' | 'submission' | 'pop3s' | 'pop3';

export interface ClientService {
  protocol: ClientProtocol;
  /** What it is for. */
  does: 'send' | 'fetch';
  host: string;
  port: number;
  /** From the first octet, or by STARTTLS. */
  encryption: 'tls' | 'starttls';
}

/** TLS from the first octet comes first (RFC 8314 §3). */
const inOrder = [
  { protocol: 'submissions', does: 'send', encryption: 'tls' },
  { protocol: 'submission', does: 'send', encryption: 'starttls' },
  { protocol: 'pop3s', does: 'fetch', encryption: 'tls' },
  { protocol: 'pop3', does: 'fetch', encryption: 'starttls' },
] as const;

/** Each service once, at its first listener that others than this machine reach; the best of each kind first. */
export function clientServices({
  hostname,
  listeners,
}: Pick<Config, 'hostname' | 'listeners'>): ClientService[] {
  const reachable = listeners.filter(({ address }) => !isLoopback(address));
  // A server that is all on loopback is one for trying out.
  const told = reachable.length > 0 ? reachable : listeners;
  return inOrder.flatMap((service) => {
    const listener = told.find(
      // Nobody is sent to where a password may cross in clear text.
      ({ protocol, allowPlaintextAuth }) => protocol === service.protocol && !allowPlaintextAuth,
    );
    return listener ? [{ ...service, host: hostname, port: listener.port }] : [];
  });
}

const isLoopback = (address: string): boolean => address === '::1' || address.startsWith('127.');

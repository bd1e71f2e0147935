/**
 * Transports that lead back to this server: its mail would go round, and so would only be deferred. What a listener on all
 * addresses answers on, the machine says.
 */

import { networkInterfaces } from 'node:os';
import type { Draft, Finding, ListenerDraft } from './draft.ts';
import { ipVersion, isLoopback } from './network.ts';
import type { KeyPath } from './problem.ts';
import { transportPorts } from './transport.ts';

interface Target {
  path: KeyPath;
  host: string;
  port: number;
}

export function checkLoops(draft: Draft, machine: readonly string[] = machineAddresses()): Finding[] {
  return targetsOf(draft)
    .filter((target) => draft.listeners.some((listener) => leadsTo(target, listener, { draft, machine })))
    .map(({ path, host, port }) => ({
      path,
      what: `${host} port ${port} is a listener of this server: mail would come back to us`,
      remedy: 'Name another server, or another port where another program on this machine listens.',
    }));
}

function targetsOf({ transports, delivery }: Draft): Target[] {
  const { relayHost } = delivery;
  const targets = transports.flatMap(({ protocol, host, port, unread = [] }, index): Target[] => {
    if (protocol === undefined || protocol === 'pipe' || protocol === 'mx') return [];
    if (host === undefined || unread.includes('port')) return [];
    return [{ path: ['transport', index, 'host'], host, port: port ?? transportPorts[protocol] }];
  });
  return relayHost === undefined ? targets : [...targets, { path: ['delivery', 'relayHost'], ...relayHost }];
}

function leadsTo(
  { host, port }: Target,
  { address, port: own }: ListenerDraft,
  { draft, machine }: { draft: Draft; machine: readonly string[] },
): boolean {
  if (address === undefined || own !== port || own === 0) return false;
  // As delivery/transports/relay-route.ts has it: our own name, at the port of mail, is ourselves.
  if (host === draft.hostname) return port === draft.delivery.port;
  const isHere = host === 'localhost' || isLoopback(host) || machine.includes(host);
  const version = ipVersion(host);
  if (address === '::') return isHere;
  if (address === '0.0.0.0') return isHere && version !== 6;
  return host === address || (host === 'localhost' && isLoopback(address));
}

const machineAddresses = (): string[] =>
  Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address));

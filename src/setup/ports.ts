/** Are the ports that the server needs free, or held by itself? */

import { standardPorts } from '../config/listeners.ts';
import type { Machine } from './machine.ts';
import { findPortHolder } from './port-holder.ts';
import type { StepOutcome } from './step.ts';

/** Mail works without them, and a web server that is there already can pass on what is ours. */
export const webPorts: readonly number[] = [standardPorts.http, standardPorts.https];

const stopRemedy =
  "Stop what has mail's ports for good (such as: systemctl disable --now exim4 postfix), and run quickstart again.";
const behindRemedy =
  'Let that web server pass on mta-sts., autoconfig. and autodiscover. of your domain: [[listener]] protocol = "http", address = "127.0.0.1", port = 8080, proxied = true (docs/WEB.md). Or stop it for good, and take the # from the listeners for these ports.';

const doorRemedy =
  'Add a listener to it, and run quickstart again:\n[[listener]]\nprotocol = "smtp"          # mail from outside, port 25';

export interface WantedPort {
  protocol: string;
  address: string;
  port: number;
}

export interface PortParts extends Pick<Machine, 'portState'> {
  wanted: readonly WantedPort[];
  /** Our own server runs: what is taken is its own. */
  isRunning: boolean;
  /** systemd holds our ports for the server. */
  isHeld: boolean;
  /** By the configuration mail comes in at some port. */
  takesMail: boolean;
  holderOf?: (port: number) => Promise<string | undefined>;
}

/** The value: ports that somebody else has. */
export async function checkPorts({
  wanted,
  portState,
  isRunning,
  isHeld,
  takesMail,
  holderOf = findPortHolder,
}: PortParts): Promise<StepOutcome<readonly number[]>> {
  if (!takesMail) {
    const what = 'the configuration has no listener for mail from outside: none comes in';
    return { value: [], state: 'failed', what, remedy: doorRemedy };
  }
  const all = wanted.map(({ port }) => port).join(', ');
  if (isRunning) return { value: [], state: 'good', what: `${all}: the server is running already` };
  const states = await Promise.all(
    wanted.map(async (each) => ({ ...each, state: await portState(each.address, each.port) })),
  );
  const holders = await Promise.all(
    states
      .filter(({ state }) => state === 'taken')
      .map(async (each) => ({ ...each, holder: (await holderOf(each.port)) ?? 'another program' })),
  );
  const taken = holders.filter(({ holder }) => !(isHeld && holder === 'systemd (pid 1)'));
  if (taken.length > 0) {
    const lines = taken.map(({ port, protocol, holder }) => `${port} (${protocol}) is held by ${holder}`);
    const web = taken.filter(({ port }) => webPorts.includes(port));
    const isOnlyWeb = web.length === taken.length;
    const remedies = [...(isOnlyWeb ? [] : [stopRemedy]), ...(web.length === 0 ? [] : [behindRemedy])];
    return {
      value: taken.map(({ port }) => port),
      state: isOnlyWeb ? 'warning' : 'failed',
      what: `taken: ${taken.map(({ port }) => port).join(', ')}`,
      details: lines,
      remedy: remedies.join('\n'),
    };
  }
  if (states.some(({ state }) => state === 'denied'))
    return {
      value: [],
      state: 'skipped',
      what: `${all}: only root can try ports below 1024`,
    };
  return { value: [], state: 'good', what: `${all}: free` };
}

/** A machine to set a server up on, for tests: DNS, ports and programs as they are told to be. */

import type { ZoneData } from '../dns/zone-data.ts';
import type { PortState } from '../net/probe-port.ts';
import type { Machine, ProgramResult } from '../setup/machine.ts';
import { systemClock } from '../util/clock.ts';
import { scriptedResolver } from './scripted-resolver.ts';

export interface MachineScript {
  records?: ZoneData;
  addresses?: readonly string[];
  inside?: readonly string[];
  ports?: Readonly<Record<number, PortState>>;
  /** Why an endpoint, `address port`, does not answer; the others do. */
  unreachable?: Readonly<Record<string, string>>;
  /** By the program and its words; others are not there. */
  programs?: (command: string) => ProgramResult | undefined;
  more?: Partial<Machine>;
}

/** `commands` takes down what was run. */
export function setupMachine(script: MachineScript = {}): Machine & { commands: string[] } {
  const { records = {}, addresses = ['203.0.113.7'], inside = [], ports = {}, unreachable = {} } = script;
  const commands: string[] = [];
  return {
    commands,
    clock: systemClock,
    resolver: scriptedResolver(records),
    nameServers: ['127.0.0.1'],
    userId: 1000,
    hostname: 'vps123',
    addresses: () => addresses,
    insideAddresses: () => inside,
    portState: async (_, port) => ports[port] ?? 'free',
    reach: async ({ address, port }) => unreachable[`${address} ${port}`],
    run: async (...words) => {
      commands.push(words.join(' '));
      return script.programs?.(words.join(' '));
    },
    hasSystemd: false,
    program: '/opt/posthorn/bin/posthorn',
    node: undefined,
    ...script.more,
  };
}

/**
 * Plays a client's octets to an answering machine (net/machine.ts) as the socket's driver would, and gives what came of
 * it as a value that can be compared: what the machine said, what it ended with.
 */

import type { Machine, TlsInfo } from '../src/net/machine.ts';
import { type Cut, cuts, packetsOf } from './packets.ts';
import { demand, demandSame } from './targets/target.ts';

/** A machine for one input, and what decides for it. */
export interface Stage<Event, Answer> {
  machine: Machine<Event, Answer>;
  decide(event: Event): Answer;
  /** What else must not depend on how the octets came. */
  outcome(): unknown;
}

export interface Played {
  /** All that the machine said, and `(TLS)` where the handshake was. */
  output: string;
  ended: boolean;
  outcome: unknown;
}

const tls: TlsInfo = { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' };

/** Events from one piece of input that are answered; with more, the machine asks without being told anything. */
const maxEvents = 200_000;

const farewells = ['idle', 'time', 'shutdown'] as const;

/** Plays the packets and then ends the session, for a reason that depends on their length. */
export function play<Event, Answer>(
  stage: Stage<Event, Answer>,
  packets: readonly Buffer[],
  cut: Cut,
): Played {
  const { machine } = stage;
  const length = packets.reduce((sum, packet) => sum + packet.length, 0);
  const output: Buffer[] = [];
  pump(stage, output);
  for (const packet of packets) {
    for (const piece of cut(packet)) {
      if (machine.ended) break;
      machine.receive(Buffer.from(piece));
      pump(stage, output);
      if (!machine.tlsWanted) continue;
      // The rest of the packet came before the handshake, in clear text: nobody may ever read it.
      output.push(Buffer.from('(TLS)\r\n'));
      machine.tlsStarted(tls);
      pump(stage, output);
      break;
    }
  }
  if (!machine.ended) machine.end(farewells[length % farewells.length] ?? 'idle');
  demand(machine.ended, 'end() does not end the session');
  pump(stage, output);
  demand(machine.next() === undefined, 'something is asked after the end');
  return { output: Buffer.concat(output).toString('latin1'), ended: machine.ended, outcome: stage.outcome() };
}

function pump<Event, Answer>({ machine, decide }: Stage<Event, Answer>, output: Buffer[]): void {
  for (let events = 0; ; events++) {
    const said = machine.output();
    if (said !== undefined) output.push(said);
    const event = machine.next();
    if (event === undefined) break;
    demand(events < maxEvents, 'there is no end of events');
    machine.reply(decide(event));
  }
  const said = machine.output();
  if (said !== undefined) output.push(said);
}

/** Plays every way; the result is that of the whole packets. */
export function playEveryWay<Event, Answer>(start: () => Stage<Event, Answer>, input: Buffer): Played {
  const packets = packetsOf(input);
  const [first, ...others] = cuts.map(([name, cut]) => ({ name, played: play(start(), packets, cut) }));
  if (first === undefined) throw new Error('Cannot play without a way to cut');
  for (const { name, played } of others) demandSame(`the dialogue ${name}`, first.played, played);
  return first.played;
}

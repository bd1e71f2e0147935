/**
 * What the schedule was told and what it commanded, as lines of JSON: a run that is recorded from its start can be
 * replayed, step by step, to the same commands. Addresses are left out: senders are numbers here, messages too, and what
 * receivers say is not taken down, since they like to repeat them.
 */

import * as v from 'valibot';
import {
  type FullLine,
  type Group,
  initialSchedule,
  type ScheduleCommand,
  type ScheduleEvent,
  type SiteTrouble,
  step,
} from './schedule.ts';
import type { ScheduleLimits } from './schedule-state.ts';

/** Writes a line, without its line end; false when no more is taken, and none will be. */
export type WriteLine = (line: string) => boolean;

const version = 1;

/** A group as it stands in a recording: first with all that the schedule looks at, then by its number. */
interface Recorded extends Group {
  id: number;
}

export class ScheduleRecorder<G extends Group> {
  /** For the schedule: what it is told of a site is taken down before the step in which it asked. */
  readonly limits: ScheduleLimits;
  readonly #write: WriteLine;
  readonly #senders = new Map<string, number>();
  /** Those that have not ended, or gone back to the store. */
  readonly #ids = new Map<G, number>();
  #count = 0;
  #isOver = false;

  constructor(limits: ScheduleLimits, write: WriteLine) {
    this.limits = {
      ...limits,
      perSite: (site) => {
        const own = limits.perSite(site);
        this.#put({ site, limits: own, apart: limits.apart(site) });
        return own;
      },
    };
    this.#write = write;
    const { concurrency, maxHeld } = limits;
    this.#put({ posthorn: 'schedule', version, concurrency, maxHeld });
  }

  /** One step, after it was made. */
  note(event: ScheduleEvent<G>, now: number, commands: readonly ScheduleCommand<G>[]): void {
    if (this.#isOver) return;
    const told = 'group' in event ? { ...wordless(event), group: this.#told(event) } : event;
    this.#put({ now, event: told, commands: commands.map((command) => this.#commanded(command)) });
    if (event.type === 'finished') this.#ids.delete(event.group);
    for (const command of commands)
      if (command.type === 'putBack' || command.type === 'defer') this.#ids.delete(command.group);
  }

  #told(event: ScheduleEvent<G> & { group: G }): Recorded | number {
    const { site, jobCount, fresh, expiresAt, priority } = event.group;
    if (event.type !== 'ready') return this.#idOf(event.group);
    return {
      id: this.#idOf(event.group),
      site,
      sender: this.#senderOf(event.group),
      jobCount,
      fresh,
      expiresAt,
      ...(priority !== undefined && { priority }),
    };
  }

  #commanded(command: ScheduleCommand<G>): object {
    if (!('group' in command)) return command;
    const group = this.#idOf(command.group);
    return command.type === 'defer'
      ? { ...command, group, cause: withoutWords(command.cause) }
      : { ...command, group };
  }

  #idOf(group: G): number {
    const id = this.#ids.get(group) ?? ++this.#count;
    this.#ids.set(group, id);
    return id;
  }

  #senderOf({ sender }: G): string {
    const number = this.#senders.get(sender) ?? this.#senders.size + 1;
    this.#senders.set(sender, number);
    return `sender ${number}`;
  }

  #put(line: object): void {
    if (!this.#isOver) this.#isOver = !this.#write(JSON.stringify(line));
  }
}

/** An attempt's end without what the receiver said. */
const wordless = <G extends Group>(event: ScheduleEvent<G>): ScheduleEvent<G> =>
  event.type === 'finished' && typeof event.site === 'object'
    ? { ...event, site: withoutWords(event.site) }
    : event;

/** The schedule's own word, that a line is full, stays. */
const withoutWords = <T extends SiteTrouble | FullLine>(cause: T): T =>
  cause.kind === 'full' ? cause : { ...cause, reason: '' };

const header = v.object({
  posthorn: v.literal('schedule'),
  version: v.literal(version),
  concurrency: v.number(),
  maxHeld: v.number(),
});
const siteLine = v.object({
  site: v.string(),
  limits: v.object({
    connections: v.number(),
    start: v.number(),
    messagesPerHour: v.exactOptional(v.number()),
  }),
  apart: v.boolean(),
});
const groupShape = v.object({
  id: v.number(),
  site: v.string(),
  sender: v.string(),
  jobCount: v.number(),
  fresh: v.boolean(),
  expiresAt: v.number(),
  priority: v.exactOptional(v.number()),
});
const stepLine = v.object({
  now: v.number(),
  event: v.looseObject({ type: v.string() }),
  commands: v.array(v.looseObject({ type: v.string() })),
});

export interface Replay {
  steps: number;
  /** The last line is cut, as by the end of a disk or of a process, and was not played. */
  isCut?: true;
  /** The first step whose commands are others today, by its line; undefined where all are the same. */
  difference?: { line: number; recorded: unknown; replayed: unknown };
}

/** The lines are no recording; the message says which and why. */
export class RecordingError extends Error {
  override readonly name = 'RecordingError';
}

/** Takes the lines of a recording in order; ends at the first difference. Rejects with a RecordingError. */
export async function replay(lines: AsyncIterable<string> | Iterable<string>): Promise<Replay> {
  let player: Player | undefined;
  let number = 0;
  let isCut = false;
  for await (const line of lines) {
    if (isCut) throw new RecordingError(`line ${number} is not JSON`);
    number++;
    if (line === '') continue;
    const value = readLine(line);
    isCut = value === undefined;
    if (isCut) continue;
    if (player === undefined) player = new Player(read(header, value, number));
    else if (v.is(siteLine, value)) player.knowSite(value);
    else {
      const difference = player.play(read(stepLine, value, number), number);
      if (difference !== undefined) return { steps: player.steps, difference };
    }
  }
  if (player === undefined) throw new RecordingError(isCut ? 'line 1 is not JSON' : 'it is empty');
  return { steps: player.steps, ...(isCut && { isCut }) };
}

/** Undefined for what is no JSON. */
function readLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function read<Schema extends v.GenericSchema>(schema: Schema, value: unknown, line: number) {
  const result = v.safeParse(schema, value);
  if (!result.success) throw new RecordingError(`line ${line} is not of a recording of this version`);
  return result.output;
}

class Player {
  steps = 0;
  readonly #sites = new Map<string, v.InferOutput<typeof siteLine>>();
  readonly #groups = new Map<number, Recorded>();
  readonly #state;

  constructor({ concurrency, maxHeld }: v.InferOutput<typeof header>) {
    this.#state = initialSchedule<Recorded>({
      concurrency,
      maxHeld,
      perSite: (site) => this.#sites.get(site)?.limits ?? { connections: 1, start: 1 },
      apart: (site) => this.#sites.get(site)?.apart ?? false,
    });
  }

  knowSite(line: v.InferOutput<typeof siteLine>): void {
    this.#sites.set(line.site, line);
  }

  play(
    { now, event, commands: recorded }: v.InferOutput<typeof stepLine>,
    line: number,
  ): Replay['difference'] {
    this.steps++;
    // What the recorder wrote is an event of the schedule but for its group, and that is put back in its place.
    const told = { ...event, ...this.#groupOf(event, line) } as ScheduleEvent<Recorded>;
    const { commands } = step(this.#state, told, now);
    if (told.type === 'finished') this.#groups.delete(told.group.id);
    const replayed = commands.map((command) =>
      'group' in command ? { ...command, group: command.group.id } : command,
    );
    for (const command of commands)
      if (command.type === 'putBack' || command.type === 'defer') this.#groups.delete(command.group.id);
    const plain: unknown = JSON.parse(JSON.stringify(replayed));
    return JSON.stringify(plain) === JSON.stringify(recorded)
      ? undefined
      : { line, recorded, replayed: plain };
  }

  #groupOf({ type, group }: Record<string, unknown>, line: number): { group?: Recorded } {
    if (type === 'ready') {
      const ready: Recorded = read(groupShape, group, line);
      this.#groups.set(ready.id, ready);
      return { group: ready };
    }
    if (type !== 'finished') return {};
    const known = this.#groups.get(Number(group));
    if (known === undefined)
      throw new RecordingError(`line ${line} ends what never began: is the beginning there?`);
    return { group: known };
  }
}

/** For tests of the schedule: groups as short as possible, and a schedule before a test's eyes. */

import { expect } from 'vitest';
import { emptyLine } from '../queue/line.ts';
import type { SiteLimits } from '../queue/pace.ts';
import {
  type Group,
  initialSchedule,
  type ScheduleCommand,
  type ScheduleEvent,
  type ScheduleLimits,
  type ScheduleState,
  type SiteTrouble,
  step,
} from '../queue/schedule.ts';

export const minute = 60_000;

export interface Piece extends Group {
  name: string;
}

/** So many at once from the beginning. */
export const places = (connections: number): SiteLimits => ({ connections, start: connections });

const roomy: ScheduleLimits = {
  concurrency: 100,
  perSite: () => places(10),
  apart: () => false,
  maxHeld: 1000,
};

/** One job of new mail, if nothing else is said. */
export const piece = (name: string, site: string, changes: Partial<Piece> = {}): Piece => ({
  name,
  site,
  sender: 'sender@example.com',
  jobCount: 1,
  fresh: true,
  expiresAt: Number.POSITIVE_INFINITY,
  ...changes,
});

/** A schedule, and what it commands. */
export function schedule(limits: Partial<ScheduleLimits> = {}) {
  const state = initialSchedule<Piece>({ ...roomy, ...limits });
  const on = (event: ScheduleEvent<Piece>, now = 0) => step(state, event, now).commands;
  const ready = (name: string, site: string) => on({ type: 'ready', group: piece(name, site) });
  const finished = (name: string, site: string) =>
    on({ type: 'finished', group: piece(name, site), site: 'reached' });
  return { state, on, ready, finished };
}

export const started = (commands: ScheduleCommand<Piece>[]): string[] =>
  commands.flatMap((command) => (command.type === 'start' ? [command.group.name] : []));

/** Nothing is held and nothing under way; sites may be known. */
export function expectEmpty({ sites, turns, held, active }: ScheduleState<Piece>): void {
  expect([sites.probeJobs, sites.activeProbes, held, active]).toEqual([0, 0, 0, 0]);
  expect(new Set(sites.byName.keys())).toEqual(sites.known);
  for (const site of sites.byName.values())
    expect(site).toMatchObject({ active: 0, waiting: emptyLine(), probe: undefined, doubted: false });
  expect(Object.values(turns).flatMap((each) => [...each])).toEqual([]);
}

export const nothingDue = { type: 'claimed', jobCount: 0, nextDueAt: undefined } as const;

export const refused: SiteTrouble = {
  kind: 'down',
  at: 0,
  status: '4.4.1',
  phase: 'connecting',
  reason: 'ECONNREFUSED',
};

export const tooFast: SiteTrouble = {
  kind: 'busy',
  at: 0,
  status: '4.7.28',
  phase: 'sending MAIL FROM',
  reason: '421 4.7.28 unusual rate of mail',
};

/** The server as a service: installed, enabled and started where systemd runs; elsewhere the units lie ready. */

import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '../util/replace-file.ts';
import { startByHand } from './by-hand.ts';
import type { Machine } from './machine.ts';
import { type Owner, userName } from './owner.ts';
import { configOption, type Places } from './places.ts';
import { findPlaceFault } from './program-place.ts';
import type { StepOutcome } from './step.ts';
import type { Unit } from './units.ts';

export interface ServiceParts extends Pick<Machine, 'run' | 'hasSystemd' | 'program' | 'node'> {
  places: Places;
  units: readonly Unit[];
  /** False: `--no-systemd`. */
  isWanted: boolean;
  /** False: somebody else has its ports, a start would fail. */
  canStart: boolean;
  /** Whom the server runs as. Undefined: whoever runs this. */
  owner: Owner | undefined;
}

/** The value: how to start the server, where that is still to be done. */
export async function installService(parts: ServiceParts): Promise<StepOutcome<string | undefined>> {
  const { places, units, hasSystemd, isWanted, owner, program, node } = parts;
  const isService = hasSystemd && isWanted && !places.isApart;
  const fault = owner && (await findPlaceFault({ program, node, owner, isService }));
  if (fault !== undefined)
    return { value: undefined, state: 'failed', what: `not installed: ${fault.what}`, remedy: fault.remedy };
  if (isService) return install(parts);
  const byHand =
    owner === undefined
      ? `posthorn serve${configOption(places)}`
      : startByHand({ user: userName, group: userName, program });
  const why = places.isApart
    ? 'not installed, as everything lies in a directory of its own'
    : isWanted
      ? 'systemd does not run here'
      : 'not installed, as you wish';
  await writeUnits(units, places.units);
  return {
    value: byHand,
    state: 'skipped',
    what: `${why}; ${units.map(({ name }) => name).join(', ')} lies in ${places.units}`,
    details: [
      `by hand: ${byHand}`,
      `where systemd runs: cp ${join(places.units, 'posthorn.*')} ${places.systemd}/ && systemctl daemon-reload && systemctl enable --now posthorn.socket posthorn.service`,
    ],
  };
}

async function install({
  places,
  units,
  run,
  canStart,
}: ServiceParts): Promise<StepOutcome<string | undefined>> {
  const changed = await writeUnits(units, places.systemd);
  const steps = [
    ...(changed ? [['daemon-reload']] : []),
    ['enable', ...(canStart ? ['--now'] : []), 'posthorn.socket', 'posthorn.service'],
  ];
  for (const words of steps) {
    const result = await run('systemctl', ...words);
    if (result?.code === 0) continue;
    return {
      value: 'systemctl start posthorn',
      state: 'failed',
      what: `systemctl ${words.join(' ')}: ${result?.output.trim() ?? 'there is no systemctl'}`,
      remedy: 'journalctl -u posthorn says more. Mend it, and run quickstart again.',
    };
  }
  const names = units.map(({ name }) => name).join(', ');
  const again =
    changed && canStart
      ? ['if it was running before: systemctl restart posthorn.socket posthorn.service']
      : [];
  return {
    value: canStart ? undefined : 'systemctl start posthorn',
    state: changed ? 'done' : 'kept',
    what: `${names} in ${places.systemd}, ${canStart ? 'started' : 'not started: its ports are taken'}, and with every start of the machine`,
    details: again,
  };
}

/** True where something is different now. */
async function writeUnits(units: readonly Unit[], directory: string): Promise<boolean> {
  await mkdir(directory, { recursive: true });
  let changed = false;
  for (const { name, text } of units) {
    const file = join(directory, name);
    const before = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (before === text) continue;
    await replaceFile(file, text, 0o644);
    changed = true;
  }
  return changed;
}

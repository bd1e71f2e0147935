/** Does the program lie where the service's user comes to it, and where it stays? Node too, where the program has none of its own. */

import { basename, dirname, join } from 'node:path';
import { findClosed } from './closed-way.ts';
import { type Owner, userName } from './owner.ts';

export interface ProgramPlace {
  /** The path of the posthorn command. */
  program: string;
  /** The path of Node; undefined where the program brings its own. */
  node: string | undefined;
  /** Whom the server runs as. */
  owner: Owner;
  isService: boolean;
}

export interface PlaceFault {
  what: string;
  remedy: string;
}

export async function findPlaceFault(place: ProgramPlace): Promise<PlaceFault | undefined> {
  const { program, node } = place;
  const again = 'run quickstart again';
  // npx keeps what it has brought for as long as it likes, one copy for each version.
  if (program.includes('/_npx/'))
    return {
      what: `${program} is only lent by npx, and does not stay`,
      remedy: `Install it, and ${again}: ${byNpm} quickstart …`,
    };
  const closed = await findClosed(program, place);
  if (closed !== undefined)
    return { what: outOfReach(closed, program), remedy: `${moveRemedy(program, again)} quickstart …` };
  const closedNode = node && (await findClosed(node, place));
  if (!closedNode) return undefined;
  return {
    what: outOfReach(closedNode, node),
    remedy: `Install Node where everybody can read it, as the packages of systems do in /usr/bin, and ${again} by it.`,
  };
}

const byNpm = 'npm install -g --prefix /usr/local posthorn && /usr/local/bin/posthorn';

const outOfReach = (closed: string, path: string): string =>
  `the user ${userName} does not come through ${closed} to ${path}`;

/** A checkout takes all that it needs with it; what npm has installed does not: its dependencies may lie beside it. */
function moveRemedy(program: string, again: string): string {
  if (program.includes('/node_modules/'))
    return `Install it where everybody can read it, and ${again}: ${byNpm}`;
  const folder = dirname(dirname(program)); // `npm ci` in root's home, most likely
  const there = join('/opt', basename(folder));
  return `Move the program to where everybody can read it, and ${again}: mv ${folder} ${there} && ${there}/bin/posthorn`;
}

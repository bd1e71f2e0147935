/** The keys that sign a domain's mail: RSA for everybody, Ed25519 for those who know it. One that exists is never touched. */

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type DkimKeyType, generateDkimKey } from '../authentication/dkim-key.ts';
import type { DkimConfig } from '../config/receiving.ts';
import { isThere } from './machine.ts';
import type { StepOutcome } from './step.ts';

export interface KeyParts {
  domain: string;
  /** As the configuration has them; undefined: it does not know the domain yet. */
  configured: readonly DkimConfig[] | undefined;
  directory: string;
  /** Milliseconds since the epoch. */
  now: number;
  find?: (directory: string, domain: string) => Promise<DkimConfig[]>;
}

/** The value: the keys that the configuration is to name. */
export async function ensureDkimKeys({
  domain,
  configured,
  directory,
  now,
}: KeyParts): Promise<StepOutcome<readonly DkimConfig[]>> {
  const keys = configured ?? newKeys(domain, directory, now);
  if (keys.length === 0)
    return {
      value: keys,
      state: 'warning',
      what: `the configuration has none for ${domain}: its mail is not signed`,
      remedy: `Make one, and name it there: posthorn dkim generate ${domain}`,
    };
  const made: string[] = [];
  for (const { selector, key } of keys) if (await makeKey(key, typeOf(selector))) made.push(selector);
  const selectors = keys.map(({ selector }) => selector).join(', ');
  if (made.length === 0) return { value: keys, state: 'kept', what: `${selectors} in ${directory}` };
  const lost = configured === undefined ? [] : made;
  return {
    value: keys,
    state: lost.length === 0 ? 'done' : 'warning',
    what: `${selectors} in ${directory}`,
    ...(lost.length > 0 && {
      details: [`the files of ${lost.join(', ')} were gone, and are made anew`],
      remedy: 'Their DNS records have changed: enter those below.',
    }),
  };
}

/** Selectors say when a key was made, so that one that comes later has another. */
function newKeys(domain: string, directory: string, now: number): DkimConfig[] {
  const month = new Date(now).toISOString().slice(0, 7).replace('-', '');
  return ['rsa', 'ed'].map((kind) => {
    const selector = `${kind}${month}`;
    return { selector, key: join(directory, `${domain}.${selector}.pem`) };
  });
}

const typeOf = (selector: string): DkimKeyType => (selector.startsWith('ed') ? 'ed25519' : 'rsa');

/** True where it was not there. */
async function makeKey(file: string, type: DkimKeyType): Promise<boolean> {
  if (await isThere(file)) return false;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(file, await generateDkimKey(type), { mode: 0o600, flag: 'wx' });
  return true;
}

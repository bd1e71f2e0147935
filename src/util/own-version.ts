/** Which version of Posthorn this is. */

import { readFile } from 'node:fs/promises';

/** package.json lies two folders up from here, in the sources as in what is published. */
export async function ownVersion(): Promise<string> {
  const manifest = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
  return String(manifest.version);
}

/** Secrets stay out of the configuration: it names the files that they are in. */

import { readFile } from 'node:fs/promises';

/** The first line. Throws where there is none, or where it can be no password (RFC 4616 §2). */
export function parsePassword(content: Buffer): string {
  const [line = ''] = content.toString('utf8').split(/\r?\n/, 1);
  if (line === '') throw new Error('its first line is empty');
  if (line.includes('\0')) throw new Error('it holds a NUL');
  return line;
}

/** Read anew for each login: a password that is changed needs no restart. Rejects with the system's error, or as above. */
export const readPassword = async (file: string): Promise<string> => parsePassword(await readFile(file));

/** Names of this machine's users by their numbers, as /etc/passwd has them. */

import { readFile } from 'node:fs/promises';

/** `uid1234` where it is not there. */
export async function userName(uid: number, file = '/etc/passwd'): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => ''); // a machine without it has no names
  for (const line of text.split('\n')) {
    const [name, , number] = line.split(':');
    if (name && number === String(uid)) return name;
  }
  return `uid${uid}`;
}

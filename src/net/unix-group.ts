/** The number of a group of this machine, by its name in /etc/group: Node has no getgrnam(). */

import { readFile } from 'node:fs/promises';

/** A number is taken as it is, as for a group of a directory service. Undefined where there is no such group. */
export async function findGroup(name: string, file = '/etc/group'): Promise<number | undefined> {
  if (/^\d+$/.test(name)) return Number(name);
  const lines = (await readFile(file, 'utf8')).split('\n').map((line) => line.split(':'));
  const number = lines.find(([each]) => each === name)?.[2];
  return number === undefined || !/^\d+$/.test(number) ? undefined : Number(number);
}

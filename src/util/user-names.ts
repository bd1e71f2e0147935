/** Names of this machine's users by their numbers, and the other way round, as /etc/passwd has them. */

import { readFile } from 'node:fs/promises';

export interface UserIds {
  uid: number;
  gid: number;
}

/** `uid1234` where it is not there. */
export async function userName(uid: number, file?: string): Promise<string> {
  const line = (await linesOf(file)).find(([name, , number]) => name && number === String(uid));
  return line?.[0] ?? `uid${uid}`;
}

/** Undefined where this machine has no such user. */
export async function findUser(name: string, file?: string): Promise<UserIds | undefined> {
  const line = (await linesOf(file)).find((fields) => fields[0] && fields[0] === name);
  if (line === undefined) return undefined;
  const [uid, gid] = [Number(line[2]), Number(line[3])];
  return Number.isSafeInteger(uid) && Number.isSafeInteger(gid) ? { uid, gid } : undefined;
}

async function linesOf(file = '/etc/passwd'): Promise<string[][]> {
  const text = await readFile(file, 'utf8').catch(() => ''); // a machine without it has no names
  return text.split('\n').map((line) => line.split(':'));
}

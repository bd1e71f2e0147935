/** Maildir as any other program sees it: files in new/ and cur/. */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from './wait.ts';

/** The messages of a Maildir as stored (LF line ends), oldest name first. An absent folder is an empty one. */
export async function readMaildir(dir: string): Promise<Buffer[]> {
  const messages: Buffer[] = [];
  for (const folder of ['new', 'cur']) {
    const names = await readdir(join(dir, folder)).catch(() => []);
    for (const name of names.sort()) messages.push(await readFile(join(dir, folder, name)));
  }
  return messages;
}

/** How many messages there are. */
export async function countMaildir(dir: string): Promise<number> {
  const counts = ['new', 'cur'].map((folder) =>
    readdir(join(dir, folder)).then(
      (names) => names.length,
      () => 0,
    ),
  );
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

/** Waits for a message that contains `text`, and resolves to it with CRLF line ends. */
export async function arrival(dir: string, text: string, limitMs?: number): Promise<Buffer> {
  const probe = async () => (await readMaildir(dir)).find((message) => message.includes(text));
  return toCrlf(await eventually(`a message with "${text}" in ${dir}`, probe, limitMs));
}

/** As POP3 and SMTP would give it. Octets are one character each in latin1. */
export function toCrlf(stored: Buffer): Buffer {
  return Buffer.from(stored.toString('latin1').replace(/\r?\n/g, '\r\n'), 'latin1');
}

/** Secrets stay out of the configuration: it says where they are, in a file or in the environment. */

import { readFile, stat } from 'node:fs/promises';

/** A file whose first line it is, or a variable of the environment. */
export type SecretSource = { file: string } | { env: string };

/** The first line. Throws where there is none, or where it can be no password (RFC 4616 §2). */
export function parsePassword(content: Buffer): string {
  const [line = ''] = content.toString('utf8').split(/\r?\n/, 1);
  if (line === '') throw new Error('its first line is empty');
  if (line.includes('\0')) throw new Error('it holds a NUL');
  return line;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Read anew each time: a file that is changed needs no restart. Rejects with the system's error, as above, or with an Error that
 * names the variable.
 */
export async function readSecret(source: SecretSource, env: Environment = process.env): Promise<string> {
  if ('file' in source) return parsePassword(await readFile(source.file));
  const found = env[source.env];
  if (found === undefined || found === '')
    throw new Error(`there is nothing in the variable ${source.env} of the environment`);
  return parsePassword(Buffer.from(found));
}

/** Any user of the machine. */
const others = 0o004;

/** Of these files, those that anybody may read. What is not there is not for this to say. */
export async function findReadable(files: readonly string[]): Promise<string[]> {
  const modes = await Promise.all(
    files.map((file) =>
      stat(file).then(
        ({ mode }) => mode,
        () => 0,
      ),
    ),
  );
  return files.filter((_, index) => ((modes[index] ?? 0) & others) !== 0);
}

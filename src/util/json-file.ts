/** Files of our own, JSON mostly, read with care: what was written there may have been edited, or cut off. */

import { readFile } from 'node:fs/promises';
import * as v from 'valibot';

/** `value` undefined: there is no such file. `problem` completes the name of the file; `isForbidden`: to this user. */
export type FileRead<T> = { value: T | undefined } | { problem: string; isForbidden?: true };

export async function readJson<Schema extends v.GenericSchema>(
  file: string,
  schema: Schema,
): Promise<FileRead<v.InferOutput<Schema>>> {
  const read = await readText(file);
  if ('problem' in read) return read;
  if (read.value === undefined) return { value: undefined };
  try {
    const result = v.safeParse(schema, JSON.parse(read.value));
    return result.success ? { value: result.output } : { problem: 'is not what was written there' };
  } catch {
    return { problem: 'is damaged' };
  }
}

/** As above. */
export async function readText(file: string): Promise<FileRead<string>> {
  try {
    return { value: await readFile(file, 'utf8') };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') return { value: undefined };
    const problem = `cannot be read (${error instanceof Error ? error.message : String(error)})`;
    return code === 'EACCES' ? { problem, isForbidden: true } : { problem };
  }
}

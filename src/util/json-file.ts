/** JSON files of our own, read with care: what was written there may have been edited, or cut off. */

import { readFile } from 'node:fs/promises';
import * as v from 'valibot';

/** `value` undefined: there is no such file. `problem` completes the name of the file. */
export async function readJson<Schema extends v.GenericSchema>(
  file: string,
  schema: Schema,
): Promise<{ value: v.InferOutput<Schema> | undefined } | { problem: string }> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { value: undefined };
    return { problem: `cannot be read (${error instanceof Error ? error.message : String(error)})` };
  }
  try {
    const result = v.safeParse(schema, JSON.parse(text));
    return result.success ? { value: result.output } : { problem: 'is not what was written there' };
  } catch {
    return { problem: 'is damaged' };
  }
}

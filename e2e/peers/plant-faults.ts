/** Lets the doctor be tried inside a network, against every fault of DNS that is planted around the server there. */

import { equal } from 'node:assert/strict';
import { join } from 'node:path';
import { run } from '../process.ts';
import { faultPlaces } from './fault-places.ts';

/** On a busy machine; half a second for each fault is plenty. */
const timeoutMs = 100_000;

const program = join(import.meta.dirname, 'doctor-faults.ts');

/** Resolves to the last word: `159 of 159 DNS faults found, 0 false alarms in 28 right zones`. Rejects where it is another. */
export async function plantFaults(
  inside: readonly string[],
  configFile: string,
  isSigned: boolean,
): Promise<string> {
  const [first = '', ...words] = inside;
  const { nobody, ...servers } = faultPlaces;
  for (const address of Object.values(servers))
    await run(first, [...words, 'ip', 'addr', 'add', `${address}/32`, 'dev', 'lo']);
  await run(first, [...words, 'ip', 'route', 'add', 'unreachable', `${nobody}/32`]);
  const { code, output } = await run(
    first,
    [...words, process.execPath, program, configFile, ...(isSigned ? ['signed'] : [])],
    { timeoutMs },
  );
  equal(code, 0, output);
  return output.trim().split('\n').at(-1) ?? '';
}

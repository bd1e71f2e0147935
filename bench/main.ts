/**
 * `npm run bench -- NAME [--json] [--messages N] [--size OCTETS] [--sessions N] [--rounds N]`: measures, and prints
 * figures only. Wants root and Debian, as `npm run e2e` does, and a machine that does nothing else meanwhile.
 */

import { statfs } from 'node:fs/promises';
import { cpus, release } from 'node:os';
import { parseArgs } from 'node:util';
import { ensurePrograms } from '../e2e/packages.ts';
import { withWorld } from '../e2e/world.ts';
import { benchRelay } from './relay.ts';
import { relayReport, relaySummary } from './report.ts';

const usage =
  'usage: npm run bench -- relay [--json] [--messages N] [--size OCTETS] [--sessions N] [--rounds N]';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    messages: { type: 'string', default: '5000' },
    size: { type: 'string', default: '1024' },
    sessions: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '3' },
  },
});

/** statfs(2): what is written there is not written to any disk, so that fsync costs nothing. */
const tmpfs = 0x0102_1994;

async function main(): Promise<number> {
  const options = {
    messages: Number(values.messages),
    sizeBytes: Number(values.size),
    sessions: Number(values.sessions),
    rounds: Number(values.rounds),
  };
  if (
    positionals.join() !== 'relay' ||
    !Object.values(options).every((value) => Number.isInteger(value) && value > 0)
  ) {
    console.error(usage);
    return 64;
  }
  await ensurePrograms(['postfix', 'openssl']);
  const result = await withWorld(async (world) => {
    const { type } = await statfs(world.path());
    if (type === tmpfs)
      console.error('Warning: TMPDIR lies in memory; durable writes cost nothing there. Set TMPDIR.');
    return benchRelay(world, options);
  });
  console.log(
    values.json
      ? JSON.stringify(
          { bench: 'relay', machine: machine(), options, summary: relaySummary(result), ...result },
          null,
          2,
        )
      : relayReport(options, result),
  );
  return 0;
}

function machine() {
  const processors = cpus();
  return {
    processor: processors[0]?.model,
    processors: processors.length,
    kernel: release(),
    node: process.version,
  };
}

process.exitCode = await main();

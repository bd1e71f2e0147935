/**
 * EIO in the maildrop, while the server is down: whoever hands in a message is told by an exit code, nothing is left of it, and
 * what is handed in again arrives once. So exit code 0 means that the message was synced, and its name.
 */

import { deepEqual, equal, match } from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { arrival, readMaildir } from '../../e2e/maildir.ts';
import { runEmpty } from '../../e2e/peers/control.ts';
import { startDns } from '../../e2e/peers/dns.ts';
import { program, startPosthorn } from '../../e2e/peers/posthorn.ts';
import { run } from '../../e2e/process.ts';
import { type Scenario, scenario } from '../../e2e/runner.ts';
import { eventually } from '../../e2e/wait.ts';
import { type DiskOperation, failingDisk } from './shim.ts';

const alice = 'alice@example.com';
/** sysexits(3): EX_IOERR. */
const inputOutput = 74;

/** Paths as FailingDisk has them. */
const faults: readonly [what: string, operation: DiskOperation, path: string][] = [
  ['a write into the maildrop', 'write', '/maildrop/tmp-'],
  ['a sync of the message', 'sync', '/maildrop/tmp-'],
  ['a sync of it under its name', 'sync', '/maildrop/new-'],
  ['a sync of the maildrop', 'sync', '/maildrop$'],
];

export const handingIn: Scenario = scenario(
  'EIO in the maildrop: told to whoever hands in, and nothing comes twice',
  async ({ world, step }) => {
    const disk = await failingDisk(world);
    const server = await startPosthorn(world, {
      dnsPort: await startDns(world),
      accounts: { [alice]: 'secret' },
      protocols: ['smtp'],
      more: { sendmail: { enabled: true }, guard: { enabled: false } },
    });
    await server.stop();
    const [first = '', ...words] = disk.inside;
    const handIn = (id: string) =>
      run(first, [...words, program, 'sendmail', '-C', server.configFile, '-i', alice], {
        input: `Subject: ${id}\n\nhello\n`,
      });
    const left = async () =>
      (await readdir(join(server.dataDir, 'maildrop'))).filter((name) => !name.startsWith('.'));

    for (const [index, [what, operation, path]] of faults.entries())
      await step(`${what} fails: exit code ${inputOutput}, and no file is left`, async () => {
        const { code, stderr } = await disk.failing(operation, path, () => handIn(`fault-${index};`));
        equal(code, inputOutput, stderr);
        match(stderr, /EIO|i\/o error/i);
        deepEqual(await left(), []);
      });

    await step('each of them, handed in again, arrives once', async () => {
      for (const index of faults.keys()) equal((await handIn(`fault-${index};`)).code, 0);
      await server.start();
      const maildir = server.maildir(alice);
      for (const index of faults.keys()) await arrival(maildir, `fault-${index};`);
      await eventually('an empty maildrop', async () => (await left()).length === 0 || undefined);
      await runEmpty(server);
      equal((await readMaildir(maildir)).length, faults.length);
    });
  },
);

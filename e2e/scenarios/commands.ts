/** The command line as a newcomer and an administrator meet it, from the checkout. */

import { equal, match } from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startDns } from '../peers/dns.ts';
import { program, startPosthorn } from '../peers/posthorn.ts';
import { run, runOk } from '../process.ts';
import { scenario } from '../runner.ts';

const root = join(import.meta.dirname, '..', '..');

/** Exit codes of sysexits(3). */
const usage = 64;
const badConfig = 78;
const tryLater = 75;
/** Of the doctor. */
const unwell = 1;

/** What an operator asks, the exit code, and what is said where the server says nothing. */
const silent = (command: string): [string, number, RegExp] => [
  command,
  tryLater,
  /The server \(pid \d+.*has said nothing for 30 s/,
];

export const commands = scenario('commands: the playground, and what goes wrong', async ({ world, step }) => {
  await step('`npm start -- --once`: the letter arrives, exit code 0', async () => {
    const { stdout } = await runOk('npm', ['start', '--silent', '--', '--once'], { cwd: root });
    match(stdout.toString(), /dmarc=pass/);
  });

  await step('an unknown command: exit code 64', async () => {
    const { code, stderr } = await run(program, ['post']);
    equal(code, usage);
    match(stderr, /post/);
  });

  await step('a bad configuration: exit code 78, all errors at once, each with its line', async () => {
    const file = world.path('bad.toml');
    await writeFile(file, 'hostname = 7\n[[listener]]\nprotocol = "smpt"\nport = 99999\n');
    const { code, stderr } = await run(program, ['serve', '--config', file]);
    equal(code, badConfig);
    for (const where of [/\b1\b.*hostname/, /\b3\b.*(?:protocol|smpt)/, /\b4\b.*(?:port|99999)/])
      match(stderr, where);
  });

  await step('a taken port and a data directory in use are said plainly', async () => {
    const first = await startPosthorn(world, { name: 'first', dnsPort: await startDns(world) });
    const config = (name: string, dataDir: string, port: number) => async () => {
      const file = world.path(name, 'posthorn.toml');
      await mkdir(world.path(name));
      const listener = `[[listener]]\nprotocol = "smtp"\naddress = "127.0.0.1"\nport = ${port}\n`;
      await writeFile(
        file,
        `hostname = "mx.example.com"\ndataDir = "${dataDir}"\n${listener}[[domain]]\nname = "example.com"\n`,
      );
      return run(program, ['serve', '--config', file]);
    };
    const sameData = await config('same-data', first.dataDir, await world.port())();
    match(`${sameData.code} ${sameData.stderr}`, /^[1-9]\d* [\s\S]*in use/);
    const samePort = await config('same-port', 'data', first.port('smtp'))();
    match(`${samePort.code} ${samePort.stderr}`, new RegExp(`^[1-9].*${first.port('smtp')}`, 's'));
  });

  await step(
    'a server that is stopped (kill -STOP): each command says so within a minute, and goes no further',
    async () => {
      const server = await startPosthorn(world, { name: 'stopped', dnsPort: await startDns(world) });
      const letter = world.path('letter.eml');
      await writeFile(letter, 'From: a@example.com\r\nTo: b@example.org\r\n\r\nhello\r\n');
      const asked: [string, number, RegExp][] = [
        ...[
          'queue list',
          'queue retry --all',
          'account list',
          'trace a@example.com',
          'reload',
          'handover',
        ].map(silent),
        ...['tls status', 'check b@example.org', 'policy replay', 'bans list', 'senders list'].map(silent),
        ...[`backup ${world.path('snapshots')}`, `preflight ${letter} --to b@example.org`].map(silent),
        ['doctor', unwell, /server-silent/],
        ['serve', tryLater, /in use by another Posthorn process \(pid/],
        ['store check', tryLater, /Stop it first/],
      ];
      process.kill(server.pid, 'SIGSTOP');
      try {
        const answers = asked.map(async ([command, code, text]) => {
          const args = [...command.split(' '), '--config', server.configFile];
          const finished = await run(program, args, { timeoutMs: 60_000 });
          equal(`${command}: ${finished.code}`, `${command}: ${code}`);
          match(finished.output, text);
        });
        await Promise.all(answers);
      } finally {
        process.kill(server.pid, 'SIGCONT');
      }
      equal((await server.command(['account', 'list'])).code, 0);
      await server.stop();
    },
  );

  await step('SIGTERM drains and exits with 0; standard output held one line', async () => {
    const server = await startPosthorn(world, { name: 'draining', dnsPort: await startDns(world) });
    equal(await server.stop(), 0);
    equal(server.said(), 'posthorn ready\n');
  });
});

/** The configuration is read anew, and another process takes over, while mail comes in: nobody is refused, nothing is lost. */

import { equal, match } from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { letter } from '../letters.ts';
import { arrival } from '../maildir.ts';
import { deliver } from '../peers/dialogue.ts';
import { startDns } from '../peers/dns.ts';
import { startPosthorn } from '../peers/posthorn.ts';
import { nothingLost, Stream } from '../peers/stream.ts';
import { scenario } from '../runner.ts';

const alice = 'alice@example.com';
const from = 'sender@example.org';

export const handover = scenario(
  'handover: reloads, and processes that take over, under load',
  async ({ world, step, say }) => {
    const server = await startPosthorn(world, {
      dnsPort: await startDns(world),
      accounts: { [alice]: 'secret' },
      protocols: ['smtp', 'lmtp'],
      sockets: [world.path('lmtp.sock')],
      limits: { recipients: 100 },
      more: { abuse: { connectionsPerMinute: 0 }, guard: { enabled: false } },
    });
    const port = server.port('smtp');
    let pid = server.pid;
    world.atEnd(async () => {
      if (pid !== server.pid) process.kill(pid, 'SIGTERM');
    });

    await step('5 reloads and 3 processes under load: nobody is refused, and nothing is lost', async () => {
      const stream = new Stream(port, { from, to: alice });
      world.atEnd(() => stream.stop());
      for (let round = 1; round <= 5; round++) {
        const text = await readFile(server.configFile, 'utf8');
        await writeFile(server.configFile, text.replace(/recipients = \d+/, `recipients = ${100 + round}`));
        const { code, output } = await server.command(['reload']);
        equal(code, 0, output);
        match(output, /\[limits\]/);
      }
      for (let round = 0; round < 3; round++) {
        const { code, output } = await server.command(['handover']);
        equal(code, 0, output);
        const [, after, before] = /^Process (\d+) has taken over from (\d+)\.$/m.exec(output) ?? [];
        equal(Number(before), pid);
        pid = Number(after);
      }
      await nothingLost(await stream.stop(), server.maildir(alice), say);
    });

    await step('the first process has ended, and all sockets are those of the last', async () => {
      equal(await server.exited, 0);
      match(
        await deliver(port, { from, to: [alice] }, letter({ from, to: alice, id: 'afterwards' })),
        /^250/,
      );
      await arrival(server.maildir(alice), 'afterwards');
    });

    await step('a process that fails leaves everything to the one that is there', async () => {
      const good = await readFile(server.configFile, 'utf8');
      await writeFile(server.configFile, `${good}\n[half`);
      equal((await server.command(['reload'])).code, 78);
      equal((await server.command(['handover'])).code, 78);
      await writeFile(server.configFile, good);
      match(await deliver(port, { from, to: [alice] }, letter({ from, to: alice, id: 'still' })), /^250/);
    });

    await step('one that fails with the data in its hands gives them back', async () => {
      const good = await readFile(server.configFile, 'utf8');
      const taken = await world.port();
      const other = createServer().listen(taken, '127.0.0.1');
      await once(other, 'listening');
      const more = `\n[[listener]]\nprotocol = "smtp"\naddress = "127.0.0.1"\nport = ${taken}\n`;
      await writeFile(server.configFile, `${good}${more}`);
      const stream = new Stream(port, { from, to: alice });
      world.atEnd(() => stream.stop());
      const { code, output } = await server.command(['handover']);
      equal(code, 75, output);
      match(output, new RegExp(`and process ${pid} goes on`));
      const { acknowledged, refused, cut } = await stream.stop();
      other.close();
      await writeFile(server.configFile, good);
      equal(refused, 0);
      equal(cut.length, 0, cut.join('\n'));
      await arrival(server.maildir(alice), acknowledged.at(-1) ?? 'none');
    });

    await step('a second server on the same data directory does not start, and names the first', async () => {
      const { code, output } = await server.command(['serve']);
      equal(code, 75, output);
      match(output, new RegExp(`in use by another Posthorn process \\(pid ${pid}\\b`));
    });
  },
);

/** A running server is administered by commands: accounts, aliases, letters, the queue, and what happened to a message. */

import { equal, match, ok } from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { letter } from '../letters.ts';
import { arrival } from '../maildir.ts';
import { deliver } from '../peers/dialogue.ts';
import { startDns } from '../peers/dns.ts';
import { startPosthorn } from '../peers/posthorn.ts';
import { startSink } from '../peers/sink.ts';
import { run } from '../process.ts';
import { scenario } from '../runner.ts';
import { eventually } from '../wait.ts';

const alice = 'alice@example.com';
const bob = 'bob@example.com';
const outsider = 'sender@example.org';
const friend = 'friend@example.net';

/** curl's word for a login that was refused. */
const loginDenied = 67;

export const administration = scenario(
  'administration: commands to a running server',
  async ({ world, step }) => {
    const sinkPort = await world.port();
    const server = await startPosthorn(world, {
      dnsPort: await startDns(world),
      accounts: { [alice]: 'first' },
      delivery: { relayHost: `127.0.0.1:${sinkPort}` },
    });
    const command = async (args: readonly string[], input?: string): Promise<string> => {
      const { code, output } = await server.command(args, input);
      equal(code, 0, output);
      return output;
    };
    const login = async (address: string, password: string) => {
      const { caFile } = await world.authority();
      const url = `pop3s://localhost:${server.port('pop3s')}/`;
      return (await run('curl', ['-sS', '--cacert', caFile, '-u', `${address}:${password}`, url])).code;
    };

    await step('an account that is added can log in at once', async () => {
      await command(['account', 'add', bob, '--password-stdin'], 'second word\n');
      equal(await login(bob, 'second word'), 0);
      match(await command(['account', 'list']), /alice@example\.com[\s\S]*bob@example\.com/);
    });

    await step('a new password is valid at once, and the old one no more', async () => {
      await command(['account', 'passwd', bob, '--password-stdin'], 'third word\n');
      equal(await login(bob, 'third word'), 0);
      equal(await login(bob, 'second word'), loginDenied);
    });

    await step('a CSV of 100 accounts is imported', async () => {
      const lines = Array.from({ length: 100 }, (_, index) => `user${index}@example.com,secret ${index}`);
      await writeFile(world.path('accounts.csv'), `${lines.join('\n')}\n`);
      await command(['account', 'import', world.path('accounts.csv')]);
      equal(await login('user99@example.com', 'secret 99'), 0);
    });

    await step('M12: an alias leads to an account at once', async () => {
      await command(['alias', 'info@example.com', bob]);
      const content = letter({ from: outsider, to: 'info@example.com', id: 'by-alias' });
      match(
        await deliver(server.port('smtp'), { from: outsider, to: ['info@example.com'] }, content),
        /^250/,
      );
      await arrival(server.maildir(bob), 'by-alias');
    });

    await step('P7: what cannot be delivered now waits in the queue, and says why', async () => {
      await server.command([
        'send',
        '--from',
        alice,
        '--to',
        friend,
        '--subject',
        'waiting',
        '--text',
        'Hi',
        '--timeout',
        '1',
      ]);
      match(await command(['queue', 'list']), /friend@example\.net[\s\S]*(?:ECONNREFUSED|refused)/);
    });

    await step('`queue retry` tries again now', async () => {
      const sink = await startSink(world, { port: sinkPort });
      await command(['queue', 'retry', '--recipient', friend]);
      await eventually('the letter', () =>
        sink.received.find(({ content }) => content.includes('Subject: waiting')),
      );
      equal((await command(['queue', 'list', '--json'])).trim(), '[]');
    });

    await step('M8, M10: `send` composes text, HTML and an attachment, and shows the dialogue', async () => {
      await writeFile(world.path('note.txt'), 'attached\n');
      const envelope = ['--from', alice, '--to', friend, '--bcc', bob, '--subject', 'composed'];
      const parts = ['--text', 'plain', '--html', '<p>rich</p>', '--attach', world.path('note.txt')];
      match(await command(['send', ...envelope, ...parts]), /C: MAIL FROM:<alice@example\.com>/);
      const stored = (await arrival(server.maildir(bob), 'Subject: composed')).toString();
      for (const part of [
        'multipart/mixed',
        'multipart/alternative',
        'text/html',
        'note.txt',
        'MIME-Version: 1.0',
      ]) {
        ok(stored.includes(part), `${part} is missing in ${stored}`);
      }
      ok(!/^Bcc:/im.test(stored), stored);
    });

    await step('P14: `trace` tells the road by Message-ID and by address', async () => {
      match(await command(['trace', '<by-alias@letters.example>']), /bob@example\.com/);
      const events: unknown = JSON.parse(await command(['trace', friend, '--json']));
      ok(Array.isArray(events));
      for (const event of ['accepted', 'attempted', 'deferred', 'delivered']) {
        ok(
          events.some((each) => each.event === event),
          `no ${event} in ${JSON.stringify(events)}`,
        );
      }
    });
  },
);

/**
 * Thunderbird sets itself up in its account hub, from a name, an address and a password, over our autoconfig, sends a letter
 * and fetches one by POP3. In a network of its own, where the standard ports are free.
 */

import { deepEqual, doesNotMatch, equal, match, ok } from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { arrival } from '../maildir.ts';
import { startNetwork } from '../peers/network.ts';
import { startPosthorn } from '../peers/posthorn.ts';
import type { ThunderbirdStory, ThunderbirdTask } from '../peers/thunderbird-session.ts';
import { run } from '../process.ts';
import { scenario } from '../runner.ts';

const ann = 'ann@example.com';
const bob = 'bob@example.com';
const password = 'correct horse';

const here = { A: ['127.0.0.1'] };
const records = {
  'example.com': { MX: [[10, 'mx.example.com'] as const] },
  'mx.example.com': here,
  'autoconfig.example.com': here,
};
const ports = { smtp: 25, submissions: 465, submission: 587, pop3: 110, pop3s: 995, http: 80, https: 443 };
const protocols = ['smtp', 'submissions', 'submission', 'pop3', 'pop3s', 'http', 'https'] as const;

/** It takes some ten seconds, most of them to start. */
const sessionLimitMs = 110_000;

const session = join(import.meta.dirname, '..', 'peers', 'thunderbird-session.ts');

export const thunderbird = scenario(
  'thunderbird: an address and a password are all it needs',
  async ({ world, step, skip }) => {
    const network = await startNetwork(world, [], records);
    if (network === undefined) return skip('a network of its own', 'namespaces are not permitted here');
    const { inside } = network;
    const server = await startPosthorn(world, {
      inside,
      dnsPort: 53,
      ports,
      protocols,
      hosts: ['autoconfig.example.com'],
      accounts: { [ann]: password, [bob]: 'secret' },
      more: { guard: { enabled: false } },
    });

    let story: ThunderbirdStory | undefined;
    await step(
      'it finds our settings, logs in, sends and fetches',
      async () => {
        const letter = ['send', '--from', bob, '--to', ann, '--subject', 'Waiting for you', '--text', 'Hi'];
        equal((await server.command(letter)).code, 0);
        const directory = world.path('thunderbird');
        await mkdir(directory);
        world.watchLog(join(directory, 'log'));
        const { caFile } = await world.authority();
        const task: ThunderbirdTask = {
          directory,
          authority: await readFile(caFile, 'utf8'),
          address: ann,
          password,
          letter: { to: bob, subject: 'From Thunderbird', body: 'Hello Bob.\n' },
          awaited: 'Waiting for you',
        };
        const [command = '', ...words] = [...inside, process.execPath, session, JSON.stringify(task)];
        const { code, stdout, output } = await run(command, words, { timeoutMs: sessionLimitMs });
        equal(code, 0, output);
        story = JSON.parse(stdout.toString());
      },
      sessionLimitMs + 5_000,
    );
    await step('its settings are those of our autoconfig: TLS from the first octet', () => {
      const { pages = [], ...servers } = story?.account ?? {};
      ok(pages.includes('emailConfigFoundSubview'), pages.join(', '));
      doesNotMatch(pages.join(', '), /manual|incoming|outgoing/i); // nothing had to be said by hand
      // No host of that name is among those that it would guess.
      deepEqual(servers, {
        incoming: `pop3 mx.example.com 995 3 ${ann}`, // nsMsgSocketType 3: SSL
        outgoing: `smtp mx.example.com 465 3 ${ann}`,
      });
    });
    await step('what waited is in its inbox', () => deepEqual(story?.fetched, ['Waiting for you']));
    await step('what it sent has arrived', async () => {
      const letter = String(await arrival(server.maildir(bob), 'Subject: From Thunderbird'));
      match(letter, /^User-Agent: Mozilla Thunderbird/m);
      match(letter, /^Hello Bob\./m);
    });
  },
);

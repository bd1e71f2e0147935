/** What programs do with /usr/sbin/sendmail: cron, git, mailx and PHP, as users of the machine, over the control socket or by the maildrop, also while the server is down. */

import { equal, match } from 'node:assert/strict';
import { chmod, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { arrival } from '../maildir.ts';
import { program, startPosthorn } from '../peers/posthorn.ts';
import { run, runOk } from '../process.ts';
import { scenario } from '../runner.ts';
import { eventually } from '../wait.ts';

const alice = 'alice@example.com';

export const sendmail = scenario(
  'sendmail: cron, git, mailx, PHP, as users of the machine',
  async ({ world, step, say }) => {
    const server = await startPosthorn(world, {
      accounts: { [alice]: 'secret' },
      domains: [{ name: 'example.com', postmaster: alice }],
      more: { sendmail: { enabled: true, senders: [{ user: 'www-data', as: ['shop@example.com'] }] } },
    });
    await chmod(world.path('posthorn'), 0o755);
    await chmod(server.configFile, 0o644);
    const place = world.path('sbin');
    await mkdir(place);
    await symlink(program, `${place}/sendmail`);
    await symlink(program, `${place}/mailq`);
    const command = `${place}/sendmail`;
    const env = { POSTHORN_CONFIG: server.configFile, HOME: '/nonexistent' };
    const as = (user: string, shell: string) =>
      runOk('setpriv', [`--reuid=${user}`, `--regid=${user}`, '--clear-groups', 'sh', '-c', shell], {
        env,
        cwd: '/',
      });
    const inbox = (text: string) => arrival(server.maildir(alice), text).then(String);

    await step("cron's mail to root comes to the postmaster", async () => {
      // Octet for octet how Debian's cron calls it (do_command.c), and what it writes.
      const letter =
        'From: root (Cron Daemon)\\nTo: root\\nSubject: Cron <root@host> run-parts /etc/cron.daily\\nMIME-Version: 1.0\\nContent-Type: text/plain; charset=UTF-8\\nX-Cron-Env: <SHELL=/bin/sh>\\n\\ncron has said this\\n';
      await as('root', `printf '${letter}' | ${command} -FCronDaemon -i -B8BITMIME -oem root`);
      match(await inbox('cron has said this'), /^From: root@example\.com \(Cron Daemon\)\r$/m);
    });

    await step('a user of the machine sends in their own name', async () => {
      await as('daemon', `printf 'To: ${alice}\\nSubject: Cron\\n\\nfrom user daemon\\n' | ${command} -i -t`);
      match(await inbox('from user daemon'), /^From: daemon@example\.com\r$/m);
    });

    await step('git send-email', async () => {
      const patch = world.path('0001.patch');
      await writeFile(
        patch,
        'From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\nFrom: A Coder <shop@example.com>\nDate: Sat, 28 Nov 2026 00:00:00 +0000\nSubject: [PATCH] a change of git\n\n---\n a | 1 +\n',
      );
      await as(
        'www-data',
        `git -c user.name=Shop -c user.email=shop@example.com send-email --quiet --confirm=never --suppress-cc=all --sendmail-cmd=${command} --from=shop@example.com --to=${alice} ${patch}`,
      );
      match(await inbox('[PATCH] a change of git'), /^From: .*shop@example\.com/m);
    });

    await step('mailx, and PHP with a sender of its own', async () => {
      await writeFile(world.path('mailrc'), `set sendmail=${command}\n`);
      await as(
        'www-data',
        `echo by mailx | MAILRC=${world.path('mailrc')} bsd-mailx -s "a mailx subject" ${alice}`,
      );
      match(await inbox('a mailx subject'), /^From: .*www-data@example\.com/m);
      const php = `mail("${alice}", "a PHP subject", "text\\n", "From: shop@example.com\\r\\nBcc: daemon", "-fshop@example.com");`;
      await as('www-data', `php -d sendmail_path="${command} -t -i" -r '${php}'`);
      const letter = await inbox('a PHP subject');
      match(letter, /^Return-Path: <shop@example\.com>\r$/m);
      equal(/^Bcc:/m.test(letter), false);
    });

    await step('root hears from the server at once: taken, or what is wrong with it', async () => {
      const call = async (words: string, input: string) => {
        const { code, stdout, stderr } = await run('sh', ['-c', `${command} ${words}`], { input, env });
        return { code, said: `${stdout}${stderr}` };
      };
      const taken = await call(`-v -i ${alice}`, 'Subject: over the socket\n\nx\n');
      equal(taken.code, 0);
      match(taken.said, /^Taken as \w{14}\n$/);
      await inbox('over the socket');
      const unknown = await call('nobody-here@example.com', 'Subject: x\n\nx\n');
      equal(unknown.code, 67);
      match(unknown.said, /550 5\.1\.1 No such user here: <nobody-here@example\.com>/);
      const foreign = await call(`-f a@example.net ${alice}`, 'Subject: x\n\nx\n');
      equal(foreign.code, 77);
      match(foreign.said, /may not send as a@example\.net/);
      equal((await call('a@@b', 'Subject: x\n\nx\n')).code, 65);
    });

    await step('one user does not send as another, and hears so', async () => {
      await as(
        'daemon',
        `printf 'From: shop@example.com\\nTo: ${alice}\\nSubject: forged\\n\\nx\\n' | ${command} -t`,
      );
      match(await inbox('may not send as shop@example.com'), /> Subject: forged/);
    });

    await step('nobody else lists or reads the maildrop', async () => {
      const maildrop = `${server.dataDir}/maildrop`;
      const listing = await run('setpriv', [
        '--reuid=daemon',
        '--regid=daemon',
        '--clear-groups',
        'ls',
        maildrop,
      ]);
      match(listing.stderr, /Permission denied/);
    });

    await step(
      'while the server is down it is taken all the same, and a kill in the middle makes it neither two nor none',
      async () => {
        await server.stop();
        for (const number of [1, 2, 3, 4, 5])
          await as('www-data', `printf 'To: ${alice}\\nSubject: down ${number};\\n\\nx\\n' | ${command} -t`);
        await server.start();
        await server.kill();
        await server.start();
        for (const number of [1, 2, 3, 4, 5]) await inbox(`Subject: down ${number};`);
        await eventually('an empty maildrop', async () =>
          (await readdir(`${server.dataDir}/maildrop`)).length === 0 ? true : undefined,
        );
        const names = await readdir(`${server.maildir(alice)}/new`);
        equal(names.length, new Set(names).size);
        const all = await runOk('sh', [
          '-c',
          `cat ${server.maildir(alice)}/new/* | grep -c '^Subject: down'`,
        ]);
        equal(String(all.stdout).trim(), '5');
      },
    );

    await step('wrong calls, a NUL and a message that is too long have exit codes of their own', async () => {
      const code = async (words: string, input: string) =>
        (await run('sh', ['-c', `${command} ${words}`], { input, env: { ...env } })).code;
      equal(await code('-bs', ''), 64);
      equal(await code('', 'x'), 64);
      equal(await code(alice, 'a\0b'), 65);
      equal(await code(`-C ${world.path('nothing.toml')} ${alice}`, 'x'), 78);
      equal((await runOk(`${place}/mailq`, [], { env })).code, 0);
    });

    await step('it is quick', async () => {
      const begun = performance.now();
      const times = 5;
      for (let time = 0; time < times; time++)
        await run(command, ['-i', alice], { input: 'Subject: quick\n\nx\n', env });
      say(`${Math.round((performance.now() - begun) / times)} ms a call`);
    });
  },
);

/** M11: `posthorn check` and a Postfix that knows some of its users, takes everybody, or greylists. */

import { deepEqual, doesNotMatch, equal, match, ok } from 'node:assert/strict';
import { readMaildir } from '../maildir.ts';
import { startDns } from '../peers/dns.ts';
import { type Postfix, startPostfix } from '../peers/postfix.ts';
import { type Posthorn, startPosthorn } from '../peers/posthorn.ts';
import { scenario } from '../runner.ts';
import type { World } from '../world.ts';

const carol = 'carol@example.net';

export const check = scenario('check: an address is asked about at a Postfix', async ({ world, step }) => {
  const dnsPort = await startDns(world, {
    'example.net': { MX: [[10, 'mail.example.net']] },
    'mail.example.net': { A: ['127.0.0.1'] },
    'nomail.example': { MX: [[0, '.']] },
  });
  const choosy = await startPostfix(world, { name: 'choosy', mailboxes: [carol] });
  const ours = await startPosthorn(world, { dnsPort, delivery: { port: choosy.port } });

  await step('a user that Postfix has is deliverable', async () => {
    const { code, stdout } = await ours.command(['check', carol, '--dialogue']);
    equal(code, 0);
    match(stdout.toString(), /^carol@example\.net: deliverable\n/);
    match(stdout.toString(), /C: MAIL FROM:<>\n(?:.*\n)*?.*C: RCPT TO:<carol@example\.net>/);
  });

  await step('a user that it has not is undeliverable, in its own words', async () => {
    const { code, stdout } = await ours.command(['check', 'nobody@example.net', '--json']);
    const { verdict, steps } = JSON.parse(stdout.toString());
    deepEqual([code, verdict], [1, 'undeliverable']);
    match(steps.at(-1).evidence[0], /550 5\.1\.1 .*User unknown in virtual mailbox table/);
  });

  await step('a domain that takes no mail, and one that is not there, need no question', async () => {
    for (const address of ['bob@nomail.example', 'bob@nowhere.example'])
      equal((await ours.command(['check', address])).code, 1);
    doesNotMatch(await choosy.log(), /nomail|nowhere/);
  });

  await step('it was asked twice, politely, and nothing was sent', async () => {
    await choosy.logged(/disconnect from .* ehlo=1 mail=2 rcpt=1\/2 rset=2 quit=1 commands=7\/8/);
    deepEqual(await readMaildir(choosy.maildir(carol)), []);
  });

  await step(
    'nobody can tell where Postfix takes everybody, greylists, or blocks us',
    async () => {
      for (const [name, restriction, words] of [
        ['easy', '', /takes every address/],
        ['grey', 'check_client_access inline:{{127.0.0.1=451 4.7.1 Greylisted}}', /greylisting/],
        ['block', 'check_client_access inline:{{127.0.0.1=550 5.7.1 blocked}}', /refuses us/],
      ] as const) {
        const receiver = await receiverThat(world, { name, restriction });
        const asker = await startPosthorn(world, {
          name: `asks-${name}`,
          dnsPort,
          delivery: { port: receiver.port },
        });
        await cannotTell(asker, words);
      }
    },
    180_000,
  );

  await step('without a server it is asked from here', async () => {
    await ours.stop();
    const { code, stdout } = await ours.command(['check', carol]);
    deepEqual([code, stdout.toString().split('\n')[0]], [0, 'carol@example.net: deliverable']);
  });
});

async function cannotTell(asker: Posthorn, words: RegExp): Promise<void> {
  const { code, stdout } = await asker.command(['check', carol]);
  equal(code, 2, stdout.toString());
  ok(words.test(stdout.toString()), stdout.toString());
}

function receiverThat(
  world: World,
  { name, restriction }: { name: string; restriction: string },
): Promise<Postfix> {
  const catchAll = { virtual_mailbox_maps: 'inline:{@example.net=all/}' };
  return startPostfix(world, {
    name,
    mailboxes: [carol],
    parameters: {
      ...(restriction === '' ? catchAll : {}),
      smtpd_recipient_restrictions: restriction === '' ? 'permit' : `${restriction}, permit`,
    },
  });
}

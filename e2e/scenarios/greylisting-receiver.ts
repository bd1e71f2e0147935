/** M7 as receiver: what we greylist, a Postfix keeps, and brings again. */

import { match, ok } from 'node:assert/strict';
import { letter } from '../letters.ts';
import { arrival } from '../maildir.ts';
import { deliver } from '../peers/dialogue.ts';
import { startDns } from '../peers/dns.ts';
import { startPostfix } from '../peers/postfix.ts';
import { startPosthorn } from '../peers/posthorn.ts';
import { scenario } from '../runner.ts';

const alice = 'alice@example.com';
const bob = 'bob@example.com';
const outsider = 'sender@example.org';
const delaySeconds = 3;

export const greylistingReceiver = scenario('greylisting a Postfix', async ({ world, step }) => {
  const server = await startPosthorn(world, {
    protocols: ['smtp'],
    dnsPort: await startDns(world, {}),
    accounts: { [alice]: 'secret', [bob]: 'secret' },
    more: {
      // biome-ignore lint/suspicious/noThenProperty: a key of the file, in a plain table that nobody awaits
      policy: [{ name: 'default', checks: [{ when: 'always', then: 'greylist' }] }],
      greylisting: { minutes: delaySeconds / 60, passes: 1 },
    },
  });
  const sender = await startPostfix(world, {
    name: 'sender',
    parameters: {
      relayhost: `[127.0.0.1]:${server.port('smtp')}`,
      // Postfix counts whole seconds: by one it would look again at once, and find the message "still being delivered".
      ...{ queue_run_delay: '1s', minimal_backoff_time: '2s', maximal_backoff_time: '2s' },
    },
  });
  const send = async (id: string, to: string) => {
    const content = letter({ from: outsider, to, id });
    match(await deliver(sender.port, { from: outsider, to: [to] }, content), /^250/);
    await arrival(server.maildir(to), id, 40_000);
  };

  await step('M7: Postfix is asked to come again, does, and is let in', async () => {
    await send('greylisted', alice);
    match(
      await sender.log(),
      /status=deferred \(host .* said: 451 4\.7\.1 Greylisted: please try again in 1 minute/,
    );
  });

  await step('what it was let in by can be listed, and read in the dossier', async () => {
    const list = (await server.command(['greylist', 'list'])).stdout.toString();
    match(
      list,
      /^127\.0\.0\.0\/24 {2}example\.org {2}need not wait \(its mail is proven to be the domain's; /m,
    );
    match(list, /^127\.0\.0\.0\/24 {2}example\.org {2}alice@example\.com {2}has passed, after /m);
    const trace = await server.command(['trace', alice]);
    match(trace.stdout.toString(), /has not sent mail of example\.org to this recipient before/);
  });

  await step('not-13: from then on it waits no more', async () => {
    const before = (await sender.log()).match(/Greylisted/g)?.length;
    await send('known', bob);
    const after = (await sender.log()).match(/Greylisted/g)?.length;
    ok(before === after, `${before} and ${after} times greylisted`);
  });
});

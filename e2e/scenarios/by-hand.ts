/** The first seed's own test: mail typed with printf and nc, all of it before the server has said a word. */

import { equal, match } from 'node:assert/strict';
import { startDns } from '../peers/dns.ts';
import { startPosthorn } from '../peers/posthorn.ts';
import { startSink } from '../peers/sink.ts';
import { runOk } from '../process.ts';
import { scenario } from '../runner.ts';
import { eventually } from '../wait.ts';

const bob = 'bob@pokey.onl';

/** As in the article, but for the port. */
const typed = (port: number) =>
  `printf 'EHLO localhost\\r\\nMAIL FROM:<bob@pokey.onl>\\r\\nRCPT TO:<friend@gmail.com>\\r\\nDATA\\r\\nFrom: Bob <bob@pokey.onl>\\r\\nTo: Friend <friend@gmail.com>\\r\\nSubject: PES to Gmail Test\\r\\n\\r\\nHello from PES.\\r\\n.\\r\\nQUIT\\r\\n' | nc 127.0.0.1 ${port}`;

export const byHand = scenario('by hand: printf and nc', async ({ world, step }) => {
  const sink = await startSink(world);
  const server = await startPosthorn(world, {
    name: 'trusting',
    hostname: 'mx.pokey.onl',
    dnsPort: await startDns(world),
    domains: [{ name: 'pokey.onl' }],
    accounts: { [bob]: 'secret' },
    relay: { trustedNetworks: ['127.0.0.0/8'] },
    delivery: { relayHost: `127.0.0.1:${sink.port}` },
  });
  const shell = async (line: string) => (await runOk('sh', ['-c', line])).stdout.toString();

  await step("P15: the article's line works verbatim", async () => {
    match(
      await shell(typed(server.port('smtp'))),
      /^220 [\s\S]*\r\n250[\s\S]*\r\n354 [\s\S]*\r\n250[\s\S]*\r\n221 /,
    );
    const { content, reversePath, recipients } = await eventually('the letter', () => sink.received[0]);
    equal(reversePath, bob);
    equal(recipients.join(), 'friend@gmail.com');
    match(content.toString(), /\r\nSubject: PES to Gmail Test\r\n[\s\S]*\r\nHello from PES\.\r\n$/);
  });

  await step('P15: commands with a bare LF are understood', async () => {
    const commands =
      'EHLO localhost\\nMAIL FROM:<bob@pokey.onl>\\nRCPT TO:<friend@gmail.com>\\nRSET\\nQUIT\\n';
    const replies = await shell(`printf '${commands}' | nc 127.0.0.1 ${server.port('smtp')}`);
    equal(replies.match(/^250 2\./gm)?.length, 3);
    match(replies, /\r\n221 /);
  });

  await step('P5: the same from a stranger is refused', async () => {
    const strict = await startPosthorn(world, {
      name: 'strict',
      hostname: 'mx.pokey.onl',
      dnsPort: await startDns(world),
      domains: [{ name: 'pokey.onl' }],
      accounts: { [bob]: 'secret' },
      delivery: { relayHost: `127.0.0.1:${sink.port}` },
    });
    match(await shell(typed(strict.port('smtp'))), /\r\n550 5\.7\.1 .*relaying denied/i);
    equal(sink.received.length, 1);
  });
});

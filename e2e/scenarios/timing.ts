/** When mail is to go, as its sender wants it: Python's smtplib asks for it (RFC 4865, 2852, 6710). */

import { equal, match, ok } from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { letter } from '../letters.ts';
import { arrival, readMaildir } from '../maildir.ts';
import { startDns } from '../peers/dns.ts';
import { startPosthorn } from '../peers/posthorn.ts';
import { run } from '../process.ts';
import { scenario } from '../runner.ts';
import { eventually } from '../wait.ts';

const alice = 'alice@example.com';
const bob = 'bob@example.com';

const script = `
import smtplib, ssl, sys
port, ca, sender, recipient, *options = sys.argv[1:]
with smtplib.SMTP_SSL('localhost', int(port), context=ssl.create_default_context(cafile=ca)) as smtp:
    smtp.login(sender, 'secret')
    smtp.ehlo()
    print(smtp.esmtp_features)
    smtp.sendmail(sender, [recipient], sys.stdin.buffer.read(), mail_options=options)
`;

export const timing = scenario(
  'timing: Python has mail held, and wants it by a time',
  async ({ world, step }) => {
    const server = await startPosthorn(world, {
      dnsPort: await startDns(world, { 'down.example': { MX: [[10, 'down.example']], A: ['127.0.0.9'] } }),
      hostname: 'localhost',
      accounts: { [alice]: 'secret', [bob]: 'secret' },
      delivery: { port: await world.port() },
    });
    const { caFile } = await world.authority();
    const program = world.path('send.py');
    await writeFile(program, script);
    const send = (id: string, to: string, ...options: string[]) =>
      run('python3', [program, String(server.port('submissions')), caFile, alice, to, ...options], {
        input: letter({ from: alice, to, id }),
      });
    const list = async () => (await server.command(['queue', 'list'])).output;

    await step(
      'FUTURERELEASE: what is held is in the queue, survives a restart, and goes at its time',
      async () => {
        const { code, output } = await send('held', bob, 'HOLDFOR=6', 'MT-PRIORITY=4');
        equal(code, 0, output);
        match(output, /'futurerelease': '2592000 20\d\d-/);
        match(await list(), /held by its sender, goes in [\s\S]*priority 4/);
        equal((await readMaildir(server.maildir(bob))).length, 0);
        await server.kill();
        await server.start();
        await arrival(server.maildir(bob), 'held');
        match((await server.command(['trace', bob])).output, /held until 20.* UTC, as its sender asks/);
      },
    );

    await step('DELIVERBY: what cannot be delivered in time comes back, and says why', async () => {
      equal((await send('late', 'ann@down.example', 'BY=4;R')).code, 0);
      match(await list(), /to be delivered by 20.* UTC, or returned|The queue is empty/);
      const report = await eventually('the report', async () =>
        (await readMaildir(server.maildir(alice))).find((each) => each.includes('late@letters.example')),
      );
      match(report.toString(), /^Status: 5\.4\.7$/m);
    });

    await step('nothing is held from outside, nor for longer than is announced', async () => {
      ok(!/HOLDFOR/.test((await send('plain', bob)).output));
      match((await send('too-long', bob, 'HOLDFOR=2592001')).output, /501, b'5\.5\.4/);
    });
  },
);

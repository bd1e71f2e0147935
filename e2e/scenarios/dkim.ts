/** Road, step 3: OpenDKIM, which shares no line of code with us, verifies what we sign. */

import { match, ok } from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { awkwardBody, letter } from '../letters.ts';
import { deliver } from '../peers/dialogue.ts';
import { startDns } from '../peers/dns.ts';
import { startPosthorn } from '../peers/posthorn.ts';
import { type Received, startSink } from '../peers/sink.ts';
import { run, runOk } from '../process.ts';
import { scenario } from '../runner.ts';
import { eventually } from '../wait.ts';
import type { World } from '../world.ts';

const alice = 'alice@example.com';
const recipient = 'recipient@example.net';
const selector = 'posthorn';

export const dkim = scenario('dkim: OpenDKIM verifies our signatures', async ({ world, step }) => {
  const key = world.path('dkim.pem');
  await runOk('openssl', ['genrsa', '-out', key, '2048']);
  const sink = await startSink(world);
  const server = await startPosthorn(world, {
    dnsPort: await startDns(world),
    domains: [{ name: 'example.com', dkim: { selector, key } }],
    accounts: { [alice]: 'secret' },
    relay: { trustedNetworks: ['127.0.0.0/8'] },
    delivery: { relayHost: `127.0.0.1:${sink.port}` },
  });
  const record = await publicRecord(key);

  const sent = async (id: string, body?: string): Promise<Received> => {
    const content = letter({ from: alice, to: recipient, id, ...(body === undefined ? {} : { body }) });
    match(await deliver(server.port('smtp'), { from: alice, to: [recipient] }, content), /^250/);
    return eventually(id, () => sink.received.find((each) => each.content.includes(id)));
  };

  await step('M9: a plain letter verifies', async () => {
    match(await verdict(world, record, (await sent('plain')).content), /dkim=pass/);
  });

  await step('a letter with every awkward line verifies', async () => {
    match(await verdict(world, record, (await sent('awkward', awkwardBody)).content), /dkim=pass/);
  });

  await step('an empty body verifies', async () => {
    match(await verdict(world, record, (await sent('empty', '')).content), /dkim=pass/);
  });

  await step('a changed body does not verify', async () => {
    const { content } = await sent('changed');
    const forged = Buffer.from(content.toString('latin1').replace('Good day', 'Bad day!'), 'latin1');
    match(await verdict(world, record, forged), /dkim=fail/);
  });

  await step('not-16: a second From or Subject, put in front, breaks the signature', async () => {
    const { content } = await sent('in-front');
    for (const field of ['From: <forged@example.com>', 'Subject: forged']) {
      const forged = Buffer.concat([Buffer.from(`${field}\r\n`), content]);
      match(await verdict(world, record, forged), /dkim=fail/);
    }
  });

  await step('the record that `posthorn dkim record` prints is the key we sign with', async () => {
    const { stdout } = await server.command(['dkim', 'record', 'example.com']);
    const printed = stdout.toString().replace(/["()\s]/g, '');
    const p = /p=([A-Za-z0-9+/=]+)/.exec(record)?.[1] ?? '';
    ok(printed.includes(p), stdout.toString());
  });
});

export async function publicRecord(key: string): Promise<string> {
  const { stdout } = await runOk('openssl', ['rsa', '-in', key, '-pubout', '-outform', 'DER']);
  return `v=DKIM1; k=rsa; p=${stdout.toString('base64')}`;
}

/** What opendkim says about a message; its DNS is a file. opendkim.conf(5): TestDNSData. */
export async function verdict(world: World, record: string, message: Buffer): Promise<string> {
  const config = world.path('opendkim.conf');
  const records = world.path('opendkim.dns');
  const file = world.path('message.eml');
  await writeFile(records, `${selector}._domainkey.example.com ${record}\n`);
  await writeFile(config, `Mode v\nTestDNSData file:${records}\nAlwaysAddARHeader yes\n`);
  await writeFile(file, message);
  return (await run('opendkim', ['-x', config, '-vv', '-t', file])).output;
}

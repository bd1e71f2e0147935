/** Filters for real: rspamd over HTTP, clamd, and opendkim as a milter that verifies and that signs. */

import { equal, match, ok } from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { awkwardBody, letter } from '../letters.ts';
import { arrival } from '../maildir.ts';
import { deliver } from '../peers/dialogue.ts';
import { startDns } from '../peers/dns.ts';
import { malware, spammyWord, startClamd, startOpendkim, startRspamd } from '../peers/filters.ts';
import { type Posthorn, startPosthorn } from '../peers/posthorn.ts';
import { startSink } from '../peers/sink.ts';
import { runOk } from '../process.ts';
import { scenario } from '../runner.ts';
import { eventually } from '../wait.ts';
import type { World } from '../world.ts';
import { publicRecord, verdict } from './dkim.ts';

const alice = 'alice@example.com';
const stranger = 'stranger@example.org';
const streamBytes = 300_000;

/** https://spamassassin.apache.org/gtube/, with rspamd's own first letter. */
const gtube = 'XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n';

export const filters = scenario('filters: rspamd, ClamAV and an opendkim milter', async ({ world, step }) => {
  const dnsPort = await startDns(world);
  const key = world.path('stranger.pem');
  await runOk('openssl', ['genrsa', '-traditional', '-out', key, '2048']);
  const [rspamd, clamd, opendkim] = await Promise.all([
    startRspamd(world, dnsPort),
    startClamd(world, { streamBytes }),
    startOpendkim(world, {
      name: 'verifier',
      settings: [
        'Mode v',
        'AlwaysAddARHeader yes',
        'AuthservID opendkim.example',
        'InternalHosts 192.0.2.1',
        `Nameservers 127.0.0.1`,
        `TestDNSData file:${await recordsOf(world, key)}`,
      ],
    }),
  ]);
  const server = await startPosthorn(world, {
    dnsPort,
    accounts: { [alice]: 'secret' },
    more: {
      filter: [
        { kind: 'milter', name: 'opendkim', port: opendkim.port, timeoutSeconds: 10 },
        { kind: 'rspamd', port: rspamd.port, timeoutSeconds: 10 },
        { kind: 'clamd', port: clamd.port, timeoutSeconds: 10 },
      ],
    },
  });
  const send = (id: string, body?: string) => {
    const content = letter({ from: stranger, to: alice, id, ...(body === undefined ? {} : { body }) });
    return deliver(server.port('smtp'), { from: stranger, to: [alice] }, content);
  };

  await step('a letter passes all three, and the milter has put its result in front', async () => {
    match(await send('innocent'), /^250/);
    const received = (await arrival(server.maildir(alice), 'innocent')).toString();
    match(received, /^Authentication-Results: opendkim\.example;\s+dkim=none/m);
    const story = await trace(server, 'innocent');
    match(story, /opendkim: nothing to object at end of message, added Authentication-Results/);
    match(story, /rspamd: no action, score 0 of 15/);
    match(story, /clamd: nothing found/);
  });

  await step('a milter sees the octets that came: a signature over every one of them verifies', async () => {
    const awkward = ['X-Folded: one', '\t two  ', 'x-Spaced:  a  b ', 'X-Tight:c', ''].join('\r\n');
    const content = Buffer.concat([
      Buffer.from(awkward),
      letter({ from: stranger, to: alice, id: 'simple', body: awkwardBody }),
    ]);
    const signed = ['--hcanon', 'simple', '--bcanon', 'simple', selector, 'example.org', key];
    const { stdout } = await runOk('dkimsign', signed, { input: content });
    const whole = stdout.toString('latin1').replace(/\r?\n/g, '\r\n');
    const letters = { from: stranger, to: [alice] };
    match(await deliver(server.port('smtp'), letters, Buffer.from(whole, 'latin1')), /^250/);
    const received = (await arrival(server.maildir(alice), 'Subject: simple')).toString();
    match(received, /^Authentication-Results: opendkim\.example;\s+dkim=pass /m);
  });

  await step("rspamd's GTUBE is refused in rspamd's words", async () => {
    match(await send('gtube', gtube), /^550 5\.7\.1 Gtube pattern/);
  });

  await step('what rspamd scores goes to Junk, with its symbols in the dossier', async () => {
    match(await send(spammyWord), /^250/);
    const junk = await arrival(`${server.maildir(alice)}/.Junk`, spammyWord);
    const unfolded = junk.toString().replaceAll(/\r\n[ \t]+/g, ' ');
    match(unfolded, /^X-Posthorn-Verdict: Junk; policy=default; .*rspamd: add header, score 8 of 15/m);
    match(await trace(server, spammyWord), /rspamd: add header, score 8 of 15, E2E_SUBJECT \(\+8\)/);
  });

  await step('malware is refused by its name, in a large message in the spool too', async () => {
    match(await send('eicar', `${malware}\r\n`), /^550 5\.7\.1 .*malware \(E2e\.Test/);
    match(
      await send('large-eicar', [...Array(2000).fill('x'.repeat(70)), malware, ''].join('\r\n')),
      /^550 5\.7\.1 .*malware/,
    );
  });

  await step('what is too large for clamd passes, and the dossier says that it was not scanned', async () => {
    match(await send('too-large', `${'x'.repeat(70)}\r\n`.repeat(6000)), /^250/);
    match(await trace(server, 'too-large'), /clamd: not looked at, it is too large: it takes less/);
  });

  await step('without rspamd and clamd mail goes on, and the log says so', async () => {
    await Promise.all([rspamd.stop(), clamd.stop()]);
    match(await send('alone'), /^250/);
    await arrival(server.maildir(alice), 'alone');
    const story = await trace(server, 'alone');
    for (const name of ['rspamd', 'clamd'])
      match(story, new RegExp(`${name}: not known, it is down: .*ECONNREFUSED`));
    match(await server.log(), /"filter":"rspamd".*mail is accepted without it/);
  });
});

export const signingFilter = scenario(
  'filters: an opendkim milter signs what our own send',
  async ({ world, step }) => {
    const key = world.path('milter.pem');
    await runOk('openssl', ['genrsa', '-out', key, '2048']);
    const opendkim = await startOpendkim(world, {
      name: 'signer',
      settings: [
        'Mode s',
        'Domain example.com',
        'Selector posthorn',
        `KeyFile ${key}`,
        // We come from 127.0.0.1, which is signed for by default; so it is for the login alone.
        'InternalHosts 192.0.2.1',
        'Canonicalization relaxed/relaxed',
      ],
    });
    const sink = await startSink(world);
    const server = await startPosthorn(world, {
      dnsPort: await startDns(world),
      accounts: { [alice]: 'secret' },
      delivery: { relayHost: `127.0.0.1:${sink.port}` },
      more: { filter: [{ kind: 'milter', name: 'opendkim', port: opendkim.port, submission: true }] },
    });

    await step('its signature, put in front, verifies at the other end', async () => {
      const to = 'recipient@example.net';
      const content = letter({ from: alice, to, id: 'signed-by-milter' });
      const port = String(server.port('submission'));
      const login = [
        '--port',
        port,
        '-tls',
        '--auth',
        'PLAIN',
        '--auth-user',
        alice,
        '--auth-password',
        'secret',
      ];
      const words = ['--server', '127.0.0.1', '--from', alice, '--to', to, '--data', '-', ...login];
      await runOk('swaks', words, { input: content });
      const received = await eventually('the letter', () =>
        sink.received.find((each) => each.content.includes('signed-by-milter')),
      );
      const fields = received.content.toString('latin1').match(/^DKIM-Signature:/gm) ?? [];
      equal(fields.length, 1);
      match(await verdict(world, await publicRecord(key), received.content), /dkim=pass/);
      ok((await trace(server, 'signed-by-milter')).includes('added DKIM-Signature'));
    });
  },
);

const selector = 'e2e';

/** opendkim asks no name server where it has a file. */
async function recordsOf(world: World, key: string): Promise<string> {
  const file = world.path('key-records');
  await writeFile(file, `${selector}._domainkey.example.org ${await publicRecord(key)}\n`);
  return file;
}

async function trace(server: Posthorn, id: string): Promise<string> {
  const { stdout } = await server.command(['trace', `<${id}@letters.example>`]);
  return stdout.toString();
}

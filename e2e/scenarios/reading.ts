/** Road, step 8: real mail programs read the same letter, by POP3 over TLS and from the Maildir. */

import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { awkwardBody, letter } from '../letters.ts';
import { arrival, readMaildir, toCrlf } from '../maildir.ts';
import { deliver } from '../peers/dialogue.ts';
import { startDns } from '../peers/dns.ts';
import { type Posthorn, startPosthorn } from '../peers/posthorn.ts';
import { run, runOk } from '../process.ts';
import { scenario } from '../runner.ts';
import type { World } from '../world.ts';

const alice = 'alice@example.com';
const sender = 'sender@example.org';
const password = 'pa55 word';

export const reading = scenario(
  'reading: curl, mpop, fetchmail and mutt read the letter',
  async ({ world, step }) => {
    const server = await startPosthorn(world, {
      dnsPort: await startDns(world),
      accounts: { [alice]: password },
    });
    const content = letter({ from: sender, to: alice, id: 'to-read', body: awkwardBody });
    match(await deliver(server.port('smtp'), { from: sender, to: [alice] }, content), /^250/);
    const stored = await arrival(server.maildir(alice), 'to-read');
    const curl = curlFor(server, (await world.authority()).caFile);

    await step('P2: the letter lies in the Maildir octet for octet, behind our own fields', () => {
      ok(stored.subarray(-content.length).equals(content));
    });

    await step('P10: curl reads it by POP3 with implicit TLS', async () => {
      ok((await curl('pop3s', '1')).equals(stored));
    });

    await step('curl reads it by POP3 with STLS', async () => {
      ok((await curl('pop3', '1', '--ssl-reqd')).equals(stored));
    });

    await step('curl lists it with its size in octets', async () => {
      equal((await curl('pop3s', '')).toString().trim(), `1 ${stored.length}`);
    });

    await step('a wrong password opens nothing', async () => {
      const { code } = await run('curl', [
        ...curlArgs((await world.authority()).caFile, 'wrong'),
        curlUrl(server, 'pop3s', ''),
      ]);
      equal(code, 67, 'curl says "login denied" by 67');
    });

    await step('P3: mpop fetches it', async () => {
      ok((await fetchedByMpop(world, server)).equals(stored));
    });

    await step('fetchmail fetches it', async () => {
      ok((await fetchedByFetchmail(world, server)).equals(stored));
    });

    await step('mutt reads the Maildir, and marks the letter as seen', async () => {
      const uidl = await curl('pop3s', '', '-X', 'UIDL');
      ok((await readByMutt(world, server.maildir(alice))).equals(stored));
      const [name = ''] = await readdir(join(server.maildir(alice), 'cur'));
      match(name, /:2,.*S/);
      deepEqual(await curl('pop3s', '', '-X', 'UIDL'), uidl, 'its UIDL has changed by that');
    });
  },
);

const curlArgs = (caFile: string, secret = password) => [
  '-sS',
  '--cacert',
  caFile,
  '-u',
  `${alice}:${secret}`,
];

const curlUrl = (server: Posthorn, scheme: 'pop3' | 'pop3s', message: string): string =>
  `${scheme}://localhost:${server.port(scheme)}/${message}`;

function curlFor(server: Posthorn, caFile: string) {
  return async (scheme: 'pop3' | 'pop3s', message: string, ...more: string[]): Promise<Buffer> =>
    (await runOk('curl', [...curlArgs(caFile), ...more, curlUrl(server, scheme, message)])).stdout;
}

/** mpop and fetchmail read their passwords only from files that nobody else can read. */
async function secretFile(path: string, lines: readonly string[]): Promise<string> {
  await writeFile(path, `${lines.join('\n')}\n`, { mode: 0o600 });
  return path;
}

async function fetchedByMpop(world: World, server: Posthorn): Promise<Buffer> {
  const maildir = world.path('mpop');
  for (const folder of ['new', 'cur', 'tmp']) await mkdir(join(maildir, folder), { recursive: true });
  const { caFile } = await world.authority();
  const config = await secretFile(world.path('mpoprc'), [
    'account default',
    `host localhost\nport ${server.port('pop3s')}`,
    `tls on\ntls_starttls off\ntls_trust_file ${caFile}`,
    `user ${alice}\npassword "${password}"`,
    'keep on\nreceived_header off',
    `uidls_file ${world.path('mpop-uidls')}`,
    `delivery maildir ${maildir}`,
  ]);
  await runOk('mpop', [`--file=${config}`]);
  return toCrlf(Buffer.concat(await readMaildir(maildir)));
}

/** By the other door: fetchmail uses STLS on the clear-text port, and insists on it when told to check certificates. */
async function fetchedByFetchmail(world: World, server: Posthorn): Promise<Buffer> {
  const { caFile } = await world.authority();
  const file = world.path('fetchmail.eml');
  const config = await secretFile(world.path('fetchmailrc'), [
    'set invisible',
    `poll localhost protocol POP3 port ${server.port('pop3')}`,
    `  username "${alice}" password "${password}"`,
    `  sslproto "TLS1.2+" sslcertck sslcertfile "${caFile}"`,
    `  fetchall keep no rewrite mda "cat >> ${file}"`,
  ]);
  await runOk('fetchmail', ['--fetchmailrc', config, '--nosyslog'], { env: { FETCHMAILHOME: world.path() } });
  return toCrlf(await readFile(file));
}

/** mutt wants a terminal, which script(1) gives it, and keys, which its configuration pushes. */
async function readByMutt(world: World, maildir: string): Promise<Buffer> {
  const copy = world.path('mutt.eml');
  const config = world.path('muttrc');
  const settings = [
    'set folder=""',
    'unset pipe_decode',
    'unset wait_key',
    'unset confirmappend',
    'set quit=yes',
  ];
  const keys = `push "<display-message><exit><pipe-message>cat > ${copy}<enter><quit>"`;
  await writeFile(config, `${[...settings, keys].join('\n')}\n`);
  const mutt = `mutt -n -F ${config} -f ${maildir}`;
  await runOk('script', ['-qec', mutt, '/dev/null'], { env: { TERM: 'xterm', PAGER: 'cat' } });
  return toCrlf(await readFile(copy));
}

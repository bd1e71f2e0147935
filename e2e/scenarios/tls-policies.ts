/**
 * Road, step 5: which TLS a receiver has to show. Postfix with several TLS levels as receivers, DANE by an unbound that
 * validates a zone signed with real keys, MTA-STS by a web server; and Postfix's own posttls-finger is asked the same.
 */

import { deepEqual, match, ok } from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { type HttpsHost, startHttpsHost } from '../../src/testing/https-host.ts';
import { type Certificate, createAuthority } from '../certificates.ts';
import { letter } from '../letters.ts';
import { arrival } from '../maildir.ts';
import { deliver } from '../peers/dialogue.ts';
import { type Postfix, startPostfix } from '../peers/postfix.ts';
import { type Posthorn, startPosthorn } from '../peers/posthorn.ts';
import { type SignedDns, startSignedDns } from '../peers/signed-dns.ts';
import { run } from '../process.ts';
import { scenario } from '../runner.ts';
import { eventually } from '../wait.ts';
import type { World } from '../world.ts';

const alice = 'alice@example.com';

/** A receiver, and the host names that lead to it. */
interface Receiver {
  address: string;
  level: 'none' | 'may' | 'encrypt';
  /** Whose certificate it shows. */
  authority?: 'ours' | 'strangers';
}

const receivers = {
  stranger: { address: '127.0.0.71', level: 'may', authority: 'strangers' },
  known: { address: '127.0.0.72', level: 'encrypt', authority: 'ours' },
  bare: { address: '127.0.0.73', level: 'none' },
} as const satisfies Record<string, Receiver>;

type ReceiverName = keyof typeof receivers;

interface Case {
  domain: string;
  at: ReceiverName;
  /** Its MX host is an alias of this one; the record is below the canonical name (RFC 7672 §2.2.3). */
  alias?: string;
  /** Below the name of its MX host. */
  tlsa?: 'of its key' | 'of its authority' | 'of another key' | 'with a bogus signature';
  sts?: { mode: 'enforce' | 'testing'; mx?: string };
  arrives: boolean;
  /** Of posttls-finger, where it knows such a policy. */
  level?: 'dane' | 'secure';
}

/** `signed.test` is a signed zone, `unsigned.test` is not. */
const cases: readonly Case[] = [
  { domain: 'right.signed.test', at: 'stranger', tlsa: 'of its key', arrives: true, level: 'dane' },
  { domain: 'issuer.signed.test', at: 'stranger', tlsa: 'of its authority', arrives: true, level: 'dane' },
  {
    domain: 'alias.signed.test',
    at: 'stranger',
    alias: 'real.signed.test',
    tlsa: 'of its key',
    arrives: true,
    level: 'dane',
  },
  { domain: 'wrong.signed.test', at: 'stranger', tlsa: 'of another key', arrives: false, level: 'dane' },
  { domain: 'bare.signed.test', at: 'bare', tlsa: 'of another key', arrives: false, level: 'dane' },
  {
    domain: 'bogus.signed.test',
    at: 'stranger',
    tlsa: 'with a bogus signature',
    arrives: false,
    level: 'dane',
  },
  { domain: 'without.signed.test', at: 'known', arrives: true },
  { domain: 'plain.unsigned.test', at: 'bare', arrives: true },
  { domain: 'ignored.unsigned.test', at: 'stranger', tlsa: 'of another key', arrives: true },
  { domain: 'enforced.unsigned.test', at: 'known', sts: { mode: 'enforce' }, arrives: true, level: 'secure' },
  {
    domain: 'foreign.unsigned.test',
    at: 'stranger',
    sts: { mode: 'enforce' },
    arrives: false,
    level: 'secure',
  },
  { domain: 'clear.unsigned.test', at: 'bare', sts: { mode: 'enforce' }, arrives: false, level: 'secure' },
  {
    domain: 'wild.unsigned.test',
    at: 'known',
    sts: { mode: 'enforce', mx: '*.wild.unsigned.test' },
    arrives: true,
    level: 'secure',
  },
  {
    domain: 'unnamed.unsigned.test',
    at: 'known',
    sts: { mode: 'enforce', mx: 'elsewhere.test' },
    arrives: false,
  },
  { domain: 'tested.unsigned.test', at: 'stranger', sts: { mode: 'testing' }, arrives: true },
];

const mxOf = ({ domain }: Pick<Case, 'domain'>): string => `mx.${domain}`;

export const tlsPolicies = scenario(
  'tls policies: DANE, MTA-STS, and posttls-finger',
  async ({ world, step }) => {
    const stage = await setUp(world);
    const { ours, postfixes } = stage;

    for (const each of cases) {
      await step(`P9: ${claimOf(each)}`, async () => {
        const recipient = `carol@${each.domain}`;
        const content = letter({ from: alice, to: recipient, id: each.domain });
        match(await deliver(ours.port('smtp'), { from: alice, to: [recipient] }, content), /^250/);
        if (each.arrives) await arrival(postfixes[each.at].maildir(recipient), each.domain);
        else match(await deferredWith(ours, each.domain), /"status": ?"4\.7\.5"/);
      });
    }

    await step('P9: Postfix saw TLS where there was any, and nothing of what was refused', async () => {
      match(await postfixes.stranger.log(), /TLS connection established from .*TLSv1\.3/);
      const [known, bare] = await Promise.all([postfixes.known.log(), postfixes.bare.log()]);
      ok(!/unnamed\.unsigned\.test/.test(known));
      ok(!/to=<carol@(?:bare\.signed|clear\.unsigned)\.test>/.test(bare));
    });

    for (const each of cases.filter(({ level }) => level !== undefined))
      await step(`P9: posttls-finger agrees about ${each.domain}`, async () => {
        const { isVerified, output } = await finger(stage, each);
        deepEqual(isVerified, each.arrives, output);
      });

    await step('P9: the policy outlives the web server and a restart', async () => {
      await stage.web[Symbol.asyncDispose]();
      await ours.stop();
      await ours.start();
      const id = 'once-more';
      const recipient = 'carol@foreign.unsigned.test';
      const content = letter({ from: alice, to: recipient, id });
      match(await deliver(ours.port('smtp'), { from: alice, to: [recipient] }, content), /^250/);
      match(await deferredWith(ours, id), /"status": ?"4\.7\.5"/);
    });

    await step('P14: the dossier says which policy held, and by what evidence', async () => {
      const { stdout } = await ours.command(['trace', '<right.signed.test@letters.example>']);
      match(
        stdout.toString(),
        /TLS policy: DANE \(TLSA 3 1 1 [\da-f]{16}… of mx\.right\.signed\.test\); the certificate/,
      );
      const sts = await ours.command(['trace', '<foreign.unsigned.test@letters.example>']);
      match(sts.stdout.toString(), /TLS policy: MTA-STS, enforced .*no mail goes there/);
    });
  },
);

function claimOf({ domain, at, tlsa, sts, arrives }: Case): string {
  const policy = tlsa ? `a TLSA record ${tlsa}` : sts ? `an MTA-STS policy (${sts.mode})` : 'no policy';
  const shown =
    receivers[at].level === 'none'
      ? 'no TLS'
      : `a certificate of ${at === 'known' ? 'a known' : 'an unknown'} authority`;
  return `${domain}, ${policy}, ${shown}: ${arrives ? 'arrives' : 'waits'}`;
}

interface Setting {
  ours: Posthorn;
  dns: SignedDns;
  web: HttpsHost;
  postfixes: Record<ReceiverName, Postfix>;
  /** Of the receivers. */
  port: number;
  caFile: string;
  emptyConfig: string;
}

async function setUp(world: World): Promise<Setting> {
  const [authority, strangers] = await Promise.all([
    world.authority(),
    createAuthority(world.path('strangers')),
  ]);
  const port = await world.port();
  const names = (at: ReceiverName) => cases.filter((each) => each.at === at).map(mxOf);
  const strange = await strangers.issue(...names('stranger'));
  const known = await authority.issue(...names('known'));
  // A trust anchor has to be in the chain that is shown (RFC 7672 §3.1.2).
  await writeFile(
    strange.cert,
    (await readFile(strange.cert, 'utf8')) + (await readFile(strangers.caFile, 'utf8')),
  );
  const postfixes = {
    stranger: await startReceiver(world, 'stranger', port, strange),
    known: await startReceiver(world, 'known', port, known),
    bare: await startReceiver(world, 'bare', port),
  };
  const keys = { strange: await keyDigest(strange.cert), anchor: await keyDigest(strangers.caFile) };
  const dns = await startSignedDns(world, {
    signed: { zone: 'signed.test', records: recordsOf('signed.test', port, keys) },
    tamper: { from: bogusBefore, to: bogusAfter },
    unsigned: { 'unsigned.test': recordsOf('unsigned.test', port, keys) },
  });
  const web = await startPolicyHost(world);
  const ours = await startPosthorn(world, {
    resolver: dns.server,
    accounts: { [alice]: 'secret' },
    relay: { trustedNetworks: ['127.0.0.0/8'] },
    delivery: { port, httpsPort: web.port },
  });
  const emptyConfig = world.path('finger');
  await run('mkdir', ['-p', emptyConfig]);
  await writeFile(`${emptyConfig}/main.cf`, 'compatibility_level = 3.6\ninet_protocols = ipv4\n');
  return { ours, dns, web, postfixes, port, caFile: authority.caFile, emptyConfig };
}

function startReceiver(
  world: World,
  name: ReceiverName,
  port: number,
  certificate?: Certificate,
): Promise<Postfix> {
  const { address, level } = receivers[name];
  const mailboxes = cases.filter(({ at }) => at === name).map(({ domain }) => `carol@${domain}`);
  const parameters = {
    smtpd_tls_security_level: level,
    smtpd_tls_loglevel: '1',
    ...(certificate && { smtpd_tls_cert_file: certificate.cert, smtpd_tls_key_file: certificate.key }),
  };
  return startPostfix(world, { name, mailboxes, parameters, at: { address, port } });
}

async function keyDigest(file: string): Promise<string> {
  const key = new X509Certificate(await readFile(file)).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest('hex');
}

/** Of the record whose data is changed after signing. As zone files have it, in hex. */
const bogusBefore = 'b0'.repeat(32);
const bogusAfter = 'b1'.repeat(32);

function recordsOf(zone: string, port: number, keys: { strange: string; anchor: string }): string[] {
  const data = {
    'of its key': `3 1 1 ${keys.strange}`,
    'of its authority': `2 1 1 ${keys.anchor}`,
    'of another key': `3 1 1 ${'00'.repeat(32)}`,
    'with a bogus signature': `3 1 1 ${bogusBefore}`,
  };
  return cases
    .filter(({ domain }) => domain.endsWith(`.${zone}`))
    .flatMap(({ domain, at, tlsa, sts, alias }) => [
      `${domain}. MX 10 mx.${domain}.`,
      ...(alias ? [`mx.${domain}. CNAME ${alias}.`] : []),
      `${alias ?? `mx.${domain}`}. A ${receivers[at].address}`,
      ...(tlsa ? [`_${port}._tcp.${alias ?? `mx.${domain}`}. TLSA ${data[tlsa]}`] : []),
      ...(sts ? [`_mta-sts.${domain}. TXT "v=STSv1; id=1"`, `mta-sts.${domain}. A 127.0.0.1`] : []),
    ]);
}

/** Serves the policy of each domain that has one, under a certificate for its policy host. */
async function startPolicyHost(world: World): Promise<HttpsHost> {
  const withPolicy = cases.filter(({ sts }) => sts !== undefined);
  const authority = await world.authority();
  const { cert, key } = await authority.issue(...withPolicy.map(({ domain }) => `mta-sts.${domain}`));
  const web = await startHttpsHost({ cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') });
  web.answer = (response, { headers }) => {
    const found = withPolicy.find(({ domain }) => headers.host?.startsWith(`mta-sts.${domain}`));
    if (found?.sts === undefined) return void response.writeHead(404).end();
    const { mode, mx = mxOf(found) } = found.sts;
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.end(`version: STSv1\nmode: ${mode}\nmx: ${mx}\nmax_age: 86400\n`);
  };
  return web;
}

/** What the dossier holds of a letter that waits, as soon as it does. */
const deferredWith = (ours: Posthorn, id: string): Promise<string> =>
  eventually(`"${id}" is deferred`, async () => {
    const { stdout } = await ours.command(['trace', `<${id}@letters.example>`, '--json']);
    return /"event": ?"deferred"/.test(stdout.toString()) ? stdout.toString() : undefined;
  });

/** Postfix's own client at the same hosts, with the policy that it has for such a case. */
async function finger({ dns, port, caFile, emptyConfig }: Setting, { domain, level = 'dane' }: Case) {
  const [command = '', ...prefix] = dns.inside;
  const args = ['-c', '-t', '10', '-T', '10', '-F', caFile, '-l', level];
  const target = [`${domain}:${port}`, ...(level === 'secure' ? [`mx.${domain}`] : [])];
  const { output } = await run(command, [...prefix, 'posttls-finger', ...args, ...target], {
    env: { MAIL_CONFIG: emptyConfig },
  });
  return { isVerified: /Verified TLS connection established/.test(output), output };
}

/**
 * Mail that the configuration sends another way: to a Dovecot by LMTP, to a Postfix that wants a login (which it checks with
 * that Dovecot), and to procmail.
 */

import { doesNotMatch, equal, match, ok } from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { awkwardBody, letter } from '../letters.ts';
import { arrival } from '../maildir.ts';
import { deliver } from '../peers/dialogue.ts';
import { startDns } from '../peers/dns.ts';
import { type Dovecot, startDovecot } from '../peers/dovecot.ts';
import { type Postfix, startPostfix } from '../peers/postfix.ts';
import { startPosthorn } from '../peers/posthorn.ts';
import { scenario } from '../runner.ts';
import { eventually } from '../wait.ts';
import type { World } from '../world.ts';

const alice = 'alice@example.com';
const password = 'correct horse, = battery';

export const transports = scenario(
  'transports: LMTP to Dovecot, AUTH at Postfix, procmail',
  async ({ world, step }) => {
    const dovecot = await startDovecot(world, {
      users: {
        'dan@socket.example': 'x',
        'dan@tcp.example': 'x',
        'dora@tcp.example': 'x',
        relayed: password,
      },
    });
    const smtpsPort = await world.port();
    const relay = await startRelay(world, dovecot, smtpsPort);
    const procmail = await writeProcmailrc(world);
    await writeFile(world.path('password'), `${password}\n`);
    await writeFile(world.path('wrong'), 'staple\n');

    const login = { host: 'localhost', user: 'relayed', passwordFile: world.path('password') };
    const ours = await startPosthorn(world, {
      dnsPort: await startDns(world),
      accounts: { [alice]: 'secret' },
      relay: { trustedNetworks: ['127.0.0.0/8'] },
      transports: [
        { domains: ['socket.example'], protocol: 'lmtp', socket: dovecot.socket },
        { domains: ['tcp.example'], protocol: 'lmtp', host: '127.0.0.1', port: dovecot.port },
        { domains: ['submission.example'], protocol: 'submission', port: relay.port, ...login },
        { domains: ['smtps.example'], protocol: 'smtps', port: smtpsPort, ...login },
        {
          domains: ['wrong.example'],
          protocol: 'submission',
          port: relay.port,
          ...login,
          passwordFile: world.path('wrong'),
        },
        {
          domains: ['programs.example'],
          protocol: 'pipe',
          command: ['/usr/bin/procmail', '-m', procmail.rc, `\${user}`],
        },
      ],
    });
    const send = async (to: string, id: string, subject = id) => {
      const content = letter({ from: alice, to, id, body: awkwardBody });
      const told =
        subject === id
          ? content
          : Buffer.from(content.toString().replace(`Subject: ${id}`, `Subject: ${subject}`));
      match(await deliver(ours.port('smtp'), { from: alice, to: [to] }, told), /^250/);
      return content;
    };
    const traced = async (id: string, pattern: RegExp) => {
      const story = await eventually(`${pattern} in the dossier of ${id}`, async () => {
        const { stdout } = await ours.command(['trace', `<${id}@letters.example>`]);
        return pattern.test(stdout.toString()) ? stdout.toString() : undefined;
      });
      doesNotMatch(story, /correct horse|Y29ycmVjdCBob3JzZ/);
      return story;
    };

    for (const [domain, place] of [
      ['socket.example', 'a Unix socket'],
      ['tcp.example', 'TCP'],
    ] as const) {
      await step(`Dovecot takes mail by LMTP over ${place}, octet for octet`, async () => {
        const content = await send(`dan@${domain}`, `lmtp-${domain}`);
        ok((await arrival(dovecot.maildir(`dan@${domain}`), `lmtp-${domain}`)).includes(content));
        match(
          await traced(`lmtp-${domain}`, /sent/),
          /transport: relay lmtp [\s\S]*C: LHLO mx\.example\.com/,
        );
      });
    }

    await step(
      'P2: a letter of 3 MB arrives by LMTP, in chunks, with a reply for each recipient',
      async () => {
        const to = ['dan@tcp.example', 'dora@tcp.example'];
        const body = 'A line of many, with an ü in it.\r\n'.repeat(90_000);
        const content = letter({ from: alice, to: to.join(', '), id: 'lmtp-large', body });
        match(await deliver(ours.port('smtp'), { from: alice, to }, content), /^250/);
        for (const user of to) ok((await arrival(dovecot.maildir(user), 'lmtp-large')).includes(content));
        match(await traced('lmtp-large', /sent/), /BDAT \d+ LAST/);
      },
    );

    await step('not-8: over LMTP each recipient has its own outcome', async () => {
      const to = ['dan@tcp.example', 'nobody@tcp.example'];
      const content = letter({ from: alice, to: to.join(', '), id: 'lmtp-two' });
      match(await deliver(ours.port('smtp'), { from: alice, to }, content), /^250/);
      await arrival(dovecot.maildir('dan@tcp.example'), 'lmtp-two');
      match((await arrival(ours.maildir(alice), 'nobody@tcp.example')).toString(), /550 5\.1\.1/);
      const story = await traced('lmtp-two', /refused for good/);
      match(story, /dan@tcp\.example: sent/);
    });

    await step('Postfix takes mail over submission from who has logged in by SCRAM-SHA-256', async () => {
      const content = await send('carol@submission.example', 'by-submission');
      ok((await arrival(relay.maildir('carol@submission.example'), 'by-submission')).includes(content));
      await relay.logged(/sasl_method=SCRAM-SHA-256, sasl_username=relayed/);
      match(await traced('by-submission', /sent/), /C: AUTH SCRAM-SHA-256 \*\*\*/);
    });

    await step('Postfix takes mail over smtps from who has logged in by LOGIN', async () => {
      const content = await send('carol@smtps.example', 'by-smtps');
      ok((await arrival(relay.maildir('carol@smtps.example'), 'by-smtps')).includes(content));
      await relay.logged(/sasl_method=LOGIN, sasl_username=relayed/);
      match(await traced('by-smtps', /sent/), /certificate: verified[\s\S]*C: AUTH LOGIN/);
    });

    await step(
      'a login that Postfix refuses defers the mail, and the log says whose fault it is',
      async () => {
        await send('carol@wrong.example', 'by-wrong');
        const story = await traced('by-wrong', /queued, to be tried again/);
        match(story, /535 5\.7\.8/);
        match(await ours.log(), /"level":50.*we cannot log in to a relay/);
      },
    );

    await step('procmail files what a pipe gives it', async () => {
      const content = await send('bob@programs.example', 'by-pipe');
      const filed = await arrival(`${procmail.maildir}/bob`, 'by-pipe');
      ok(filed.includes(content));
      match(
        filed.toString(),
        /^Return-Path: <alice@example\.com>\r\nDelivered-To: bob@programs\.example\r\n/m,
      );
      match(await traced('by-pipe', /sent/), /Ran \/usr\/bin\/procmail for \d+ ms: exit code 0: taken/);
    });

    await step('what procmail refuses is returned, what it cannot do now is tried again', async () => {
      await send('bob@programs.example', 'no-such-user', 'unwelcome');
      match((await arrival(ours.maildir(alice), 'exited with 67')).toString(), /Status: 5\.1\.1/);
      await send('bob@programs.example', 'not-now', 'busy');
      match(await traced('not-now', /queued, to be tried again/), /exit code 75: a temporary failure/);
    });

    await step('nothing of the password is in any log', async () => {
      const log = await ours.log();
      equal(/correct horse|battery/.test(log), false);
    });
  },
);

/** It takes nothing from anybody who has not logged in; on the second port TLS comes first. */
async function startRelay(world: World, { authSocket }: Dovecot, smtpsPort: number): Promise<Postfix> {
  const { cert, key } = await world.authority().then((authority) => authority.issue('mail.example.net'));
  return startPostfix(world, {
    name: 'relay',
    mailboxes: ['carol@submission.example', 'carol@smtps.example'],
    services: `127.0.0.1:${smtpsPort} inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes -o smtpd_sasl_mechanism_filter=login\n`,
    parameters: {
      mynetworks: '192.0.2.0/24',
      smtpd_tls_security_level: 'may',
      smtpd_tls_cert_file: cert,
      smtpd_tls_key_file: key,
      smtpd_tls_auth_only: 'yes',
      smtpd_sasl_auth_enable: 'yes',
      smtpd_sasl_type: 'dovecot',
      smtpd_sasl_path: authSocket,
      smtpd_relay_restrictions: 'permit_sasl_authenticated, reject',
      smtpd_recipient_restrictions: 'permit_sasl_authenticated, reject',
    },
  });
}

/** Files by the name it is given, and refuses and puts off by the subject. procmailrc(5). */
async function writeProcmailrc(world: World): Promise<{ rc: string; maildir: string }> {
  const maildir = world.path('procmail');
  await mkdir(maildir);
  const rc = world.path('procmailrc');
  const end = (code: number) => `{\n  EXITCODE=${code}\n  HOST\n}\n`;
  await writeFile(
    rc,
    `MAILDIR=${maildir}
DEFAULT=${maildir}/$1/
:0
* ^Subject: unwelcome
${end(67)}
:0
* ^Subject: busy
${end(75)}
`,
  );
  return { rc, maildir };
}

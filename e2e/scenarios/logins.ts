/** Ways to log in without handing over the password, as programs of Debian go them. */

import { match, notEqual, ok } from 'node:assert/strict';
import { letter } from '../letters.ts';
import { arrival } from '../maildir.ts';
import { deliver } from '../peers/dialogue.ts';
import { startDns } from '../peers/dns.ts';
import { type Posthorn, startPosthorn } from '../peers/posthorn.ts';
import { run, runOk } from '../process.ts';
import { scenario } from '../runner.ts';

const alice = 'alice@example.com';
const bob = 'bob@example.com';
const carol = 'carol@example.com';
const password = 'correct, horse=';
/** argon2id of `secret`, as another server would have it. */
const hashOfSecret =
  '"$argon2id$v=19$m=19456,t=2,p=1$QnJ9SuRgYaPtTpWNj5dkWA$J+RvIOl+H3kNUOd1OkwSB+yL7M+WLSni4PLG1zIjxMQ"';

export const logins = scenario('logins: SCRAM by gsasl, msmtp and mpop', async ({ world, step }) => {
  const server = await startPosthorn(world, {
    dnsPort: await startDns(world),
    hostname: 'localhost',
    accounts: { [alice]: password, [bob]: 'battery staple' },
  });
  const { caFile } = await world.authority();

  for (const [mechanism, ...words] of [['SCRAM-SHA-256', '--no-cb'], ['SCRAM-SHA-256-PLUS']] as const) {
    await step(`gsasl logs in by ${mechanism}, and not with a wrong password`, async () => {
      const right = await gsasl(server, caFile, { mechanism, words, secret: password });
      match(right.output, /235 2\.7\.0/);
      match(right.output, /Client authentication finished \(server trusted\)/);
      const wrong = await gsasl(server, caFile, { mechanism, words, secret: 'guess' });
      match(wrong.output, /535 5\.7\.8/);
    });
  }

  await step('msmtp submits by SCRAM-SHA-256', async () => {
    const content = letter({ from: alice, to: bob, id: 'by-scram' });
    await runOk(
      'msmtp',
      ['--file=/dev/null', ...program(server.port('submissions'), caFile), `--from=${alice}`, bob],
      {
        input: content,
      },
    );
    ok((await arrival(server.maildir(bob), 'by-scram')).includes(content));
  });

  await step('mpop fetches by SCRAM-SHA-256', async () => {
    await deliver(
      server.port('smtp'),
      { from: 'sender@example.org', to: [alice] },
      letter({ from: 'sender@example.org', to: alice, id: 'fetched' }),
    );
    await arrival(server.maildir(alice), 'fetched');
    const box = world.path('fetched-by-scram');
    const words = [
      '--file=/dev/null',
      ...program(server.port('pop3s'), caFile),
      `--delivery=mbox,${box}`,
      '--keep=on',
    ];
    const { output } = await runOk('mpop', [...words, '--debug']);
    match(output, /AUTH SCRAM-SHA-256/);
  });

  await step('SCRAM is offered once each account has keys: a login with the password is enough', async () => {
    const ehlo = (...more: string[]) => swaks(server, caFile, ...more);
    match(
      (await ehlo('--quit-after', 'HELO')).output,
      /250[- ]AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN/,
    );
    const imported = await server.command(['account', 'import', '-'], `${carol},${hashOfSecret}\n`);
    match(imported.output, /1 added/);
    match((await server.command(['account', 'list'])).output, /carol@example\.com .*no keys for SCRAM/);
    await server.stop();
    await server.start();
    match((await ehlo('--quit-after', 'HELO')).output, /250[- ]AUTH PLAIN LOGIN/);
    const login = ['--auth', 'PLAIN', '--auth-user', carol, '--auth-password', 'secret'];
    match((await ehlo(...login, '--quit-after', 'AUTH')).output, /235 2\.7\.0/);
    await server.stop();
    await server.start();
    match(
      (await ehlo('--quit-after', 'HELO')).output,
      /250[- ]AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN/,
    );
  });

  await step('the password, and what proves it, are in no log', async () => {
    const log = await server.log();
    notEqual(log.length, 0);
    for (const secret of [password, Buffer.from(password).toString('base64')]) ok(!log.includes(secret));
  });
});

/** Words that msmtp and mpop understand alike. */
const program = (port: number, caFile: string): string[] => [
  '--host=localhost',
  `--port=${port}`,
  '--auth=scram-sha-256',
  `--user=${alice}`,
  `--passwordeval=printf '%s' '${password}'`,
  '--tls=on',
  '--tls-starttls=off',
  `--tls-trust-file=${caFile}`,
];

const swaks = (server: Posthorn, caFile: string, ...more: string[]) =>
  run('swaks', [
    ...['--server', '127.0.0.1', '--port', String(server.port('submission')), '--tls'],
    ...['--tls-ca-path', caFile, '--from', carol, '--to', bob, ...more],
  ]);

const gsasl = (
  server: Posthorn,
  caFile: string,
  { mechanism, words, secret }: { mechanism: string; words: readonly string[]; secret: string },
) =>
  run('gsasl', [
    '--smtp',
    '--verbose',
    `--connect=localhost:${server.port('submission')}`,
    '--starttls',
    `--x509-ca-file=${caFile}`,
    `--mechanism=${mechanism}`,
    `--authentication-id=${alice}`,
    '--authorization-id=',
    `--password=${secret}`,
    ...words,
  ]);

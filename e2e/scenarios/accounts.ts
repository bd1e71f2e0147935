/** Who may log in, and with what: app passwords, suspended accounts, accounts of another server, and groups that only look. */

import { equal, match, notEqual } from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { letter } from '../letters.ts';
import { arrival } from '../maildir.ts';
import { startDns } from '../peers/dns.ts';
import { program, startPosthorn } from '../peers/posthorn.ts';
import { run, runOk } from '../process.ts';
import { scenario } from '../runner.ts';

const alice = 'alice@example.com';
const bob = 'bob@example.com';
const password = 'correct horse';
const noPermission = 77;

export const accounts = scenario('accounts: app passwords, suspended, imported, looked at', async (stage) => {
  const { world, step } = stage;
  const sockets = world.path('run');
  await mkdir(sockets, { mode: 0o755 });
  const server = await startPosthorn(world, {
    dnsPort: await startDns(world),
    hostname: 'localhost',
    accounts: { [alice]: password, [bob]: 'battery staple' },
    more: { control: { directory: sockets, viewers: 'nogroup' } },
  });
  const { caFile } = await world.authority();
  const command = async (...args: string[]): Promise<string> => {
    const { code, output } = await server.command(args);
    equal(code, 0, output);
    return output.trim();
  };
  const tls = ['--tls=on', '--tls-starttls=off', `--tls-trust-file=${caFile}`];
  const client = (port: number, secret: string, auth: string) => [
    ...['--file=/dev/null', '--host=localhost', `--port=${port}`, `--auth=${auth}`, `--user=${alice}`],
    ...[`--passwordeval=printf '%s' '${secret}'`, ...tls],
  ];
  const fetch = (secret: string) =>
    run('mpop', [
      ...client(server.port('pop3s'), secret, 'plain'),
      ...[`--delivery=mbox,${world.path('fetched')}`, '--keep=on'],
    ]);
  const swaks = (secret: string) =>
    run('swaks', [
      ...['--server', '127.0.0.1', '--port', String(server.port('submission')), '--tls'],
      ...['--tls-ca-path', caFile, '--from', alice, '--to', bob, '--quit-after', 'AUTH'],
      ...['--auth', 'PLAIN', '--auth-user', alice, '--auth-password', secret],
    ]);

  let phone = '';
  await step('msmtp submits by SCRAM with an app password, and the dossier names it', async () => {
    phone = await command('account', 'app-password', 'add', alice, '--name', 'phone');
    const content = letter({ from: alice, to: bob, id: 'by-phone' });
    const words = [...client(server.port('submissions'), phone, 'scram-sha-256'), `--from=${alice}`, bob];
    await runOk('msmtp', words, { input: content });
    await arrival(server.maildir(bob), 'by-phone');
    match(await command('trace', bob), /logged in by the app password "phone"/);
    match(await command('account', 'app-password', 'list', alice), /phone {2}sends and fetches; .* used 20/);
  });

  await step('swaks and mpop log in with it; one for sending alone does not fetch', async () => {
    match((await swaks(phone)).output, /235 2\.7\.0/);
    equal((await fetch(phone)).code, 0);
    const add = ['account', 'app-password', 'add', alice, '--name', 'printer', '--for', 'submission'];
    const printer = await command(...add);
    match((await swaks(printer)).output, /235 2\.7\.0/);
    notEqual((await fetch(printer)).code, 0);
  });

  await step('one that is revoked is refused, and the password of the account is not', async () => {
    await command('account', 'app-password', 'remove', alice, '--name', 'phone');
    match((await swaks(phone)).output, /535 5\.7\.8/);
    notEqual((await fetch(phone)).code, 0);
    match((await swaks(password)).output, /235 2\.7\.0/);
  });

  await step('a suspended account logs in by neither SMTP nor POP3, until it is resumed', async () => {
    await command('account', 'suspend', alice);
    match((await swaks(password)).output, /535 5\.7\.13/);
    notEqual((await fetch(password)).code, 0);
    await command('account', 'resume', alice);
    equal((await fetch(password)).code, 0);
  });

  await step('accounts of a Dovecot log in with the passwords that they had there', async () => {
    const hash = (await runOk('doveadm', ['pw', '-s', 'ARGON2ID', '-p', 'of old'])).stdout.toString().trim();
    match(hash, /^\{ARGON2ID\}/);
    const file = world.path('passwd');
    await writeFile(file, `carol:${hash}:1000:1000::/home/carol::\ndave:{BLF-CRYPT}$2y$05$abc::::::\n`);
    const args = ['account', 'import', file, '--domain', 'example.com'];
    const refused = await server.command(args);
    equal(refused.code, 65);
    match(refused.output, /line 2: a hash of the kind BLF-CRYPT/);
    const made = await command(...args, '--generate');
    match(made, /^2 added/);
    const login = (user: string, secret: string) =>
      run('curl', [
        '-sS',
        '--cacert',
        caFile,
        '-u',
        `${user}:${secret}`,
        `pop3s://localhost:${server.port('pop3s')}/`,
      ]);
    equal((await login('carol@example.com', 'of old')).code, 0);
    equal((await login('dave@example.com', /dave@example\.com (\S+)/.exec(made)?.[1] ?? '')).code, 0);
  });

  await step('who is in the group of viewers may look, and change nothing', async () => {
    const asViewer = (...words: string[]) =>
      run('setpriv', [
        ...['--reuid', 'nobody', '--regid', 'nogroup', '--clear-groups', program, ...words],
        ...['--config', server.configFile],
      ]);
    match((await asViewer('account', 'list')).output, /alice@example\.com/);
    const refused = await asViewer('account', 'suspend', alice);
    equal(refused.code, noPermission);
    match(refused.output, /it is for operators/);
    match((await asViewer('reload')).output, /it is for operators/);
    const stranger = ['--reuid', 'nobody', '--regid', 'games', '--clear-groups', program];
    const { code } = await run('setpriv', [...stranger, 'account', 'list', '--config', server.configFile]);
    equal(code, noPermission);
  });

  await step('a removed account is hidden, and comes back', async () => {
    await command('account', 'remove', alice);
    match((await swaks(password)).output, /535 5\.7\.8/);
    await command('account', 'restore', alice);
    match((await swaks(password)).output, /235 2\.7\.0/);
  });
});

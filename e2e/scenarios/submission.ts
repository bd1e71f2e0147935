/** Road, steps 1 and 2: a person's mail program hands in a letter, and is who it says it is. */

import { equal, match, notEqual, ok } from 'node:assert/strict';
import { awkwardBody, letter } from '../letters.ts';
import { arrival, readMaildir } from '../maildir.ts';
import { startDns } from '../peers/dns.ts';
import { startPosthorn } from '../peers/posthorn.ts';
import { run, runOk } from '../process.ts';
import { scenario } from '../runner.ts';

const alice = 'alice@example.com';
const bob = 'bob@example.com';
const password = 'correct horse';

export const submission = scenario('submission: swaks and msmtp hand in letters', async ({ world, step }) => {
  const server = await startPosthorn(world, {
    dnsPort: await startDns(world),
    accounts: { [alice]: password, [bob]: 'battery staple' },
  });
  const { caFile } = await world.authority();
  const arrived = (id: string) => arrival(server.maildir(bob), id);

  const swaks = (id: string, ...more: string[]) =>
    run(
      'swaks',
      [
        '--server',
        '127.0.0.1',
        '--from',
        alice,
        '--to',
        bob,
        '--data',
        '-',
        '--tls-ca-path',
        caFile,
        '--tls-verify',
        ...more,
      ],
      { input: letter({ from: alice, to: bob, id }) },
    );
  const starttls = ['--port', String(server.port('submission')), '--tls'];
  const implicitTls = ['--port', String(server.port('submissions')), '--tls-on-connect'];
  const login = (mechanism: string, secret = password) => [
    ...['--auth', mechanism, '--auth-user', alice, '--auth-password', secret],
  ];

  const msmtp = async (id: string, port: number, starttlsFirst: 'on' | 'off') => {
    const content = letter({ from: alice, to: bob, id, body: awkwardBody });
    const account = ['--host=localhost', `--port=${port}`, '--auth=plain', `--user=${alice}`];
    const tls = ['--tls=on', `--tls-starttls=${starttlsFirst}`, `--tls-trust-file=${caFile}`];
    const secret = `--passwordeval=printf '%s' '${password}'`;
    await runOk('msmtp', ['--file=/dev/null', ...account, ...tls, secret, `--from=${alice}`, bob], {
      input: content,
    });
    ok((await arrived(id)).includes(content), 'the letter is not octet-identical');
  };

  await step('P4: swaks submits by STARTTLS and AUTH PLAIN; a Received field tells of it', async () => {
    const { code, output } = await swaks('swaks-starttls', ...starttls, ...login('PLAIN'));
    ok(code === 0, output);
    const stored = await arrived('swaks-starttls');
    match(stored.toString(), /^Received: [^\n]*\n(?:[ \t][^\n]*\n)*/m);
    match(stored.toString(), /with ESMTPSA/);
  });

  await step('swaks submits by implicit TLS and AUTH LOGIN', async () => {
    const { code, output } = await swaks('swaks-implicit', ...implicitTls, ...login('LOGIN'));
    ok(code === 0, output);
    await arrived('swaks-implicit');
  });

  await step('msmtp submits by STARTTLS, and not an octet is lost', () =>
    msmtp('msmtp-starttls', server.port('submission'), 'on'),
  );

  await step('msmtp submits by implicit TLS, and not an octet is lost', () =>
    msmtp('msmtp-implicit', server.port('submissions'), 'off'),
  );

  await step('a wrong password is refused with 535', async () => {
    const { code, output } = await swaks('wrong-password', ...starttls, ...login('PLAIN', 'wrong'));
    notEqual(code, 0);
    match(output, /535[ -]5\.7\.8/);
  });

  await step(
    'of all the mechanisms that swaks knows, it finds one that is offered; the weak ones are not',
    async () => {
      const any = await swaks(
        'any-mechanism',
        ...starttls,
        '--auth',
        '--auth-user',
        alice,
        '--auth-password',
        password,
      );
      equal(any.code, 0, any.output);
      match(any.output, /~> AUTH (?:PLAIN|LOGIN)/);
      for (const mechanism of ['CRAM-MD5', 'CRAM-SHA1', 'DIGEST-MD5', 'NTLM']) {
        const { code, output } = await swaks(mechanism, ...starttls, ...login(mechanism));
        notEqual(code, 0);
        ok(!/~> AUTH/.test(output), output);
      }
    },
  );

  await step('without STARTTLS there is no AUTH, and no mail without AUTH', async () => {
    const { code, output } = await swaks('no-auth', '--port', String(server.port('submission')));
    notEqual(code, 0);
    ok(!/250[ -]AUTH/.test(output), output);
    match(output, /5[35]0[ -]5\.7\.[01]/);
  });

  await step('not-10: nobody sends as somebody else', async () => {
    const asBob = await swaks('as-bob', ...starttls, ...login('PLAIN'), '--from', bob);
    notEqual(asBob.code, 0);
    match(asBob.output, /55[0-9][ -]5\.7\.1/);
  });

  await step('P5: mail to another domain without AUTH: 550 Relaying denied', async () => {
    const { code, output } = await swaks(
      'relay',
      '--port',
      String(server.port('smtp')),
      '--to',
      'someone@example.net',
    );
    notEqual(code, 0);
    match(output, /550[ -]5\.7\.1 .*relaying denied/i);
  });

  await step('P7: the log tells of acceptance and delivery by queue id', async () => {
    const [, queueId] = /\bid ([0-9A-Z]{14})\b/.exec((await arrived('swaks-starttls')).toString()) ?? [];
    const lines = (await server.log()).split('\n').filter((line) => line.includes(`"queueId":"${queueId}"`));
    match(lines.join('\n'), /accepted[\s\S]*delivered/);
  });

  await step('nothing of what was refused has arrived', async () => {
    const all = Buffer.concat(await readMaildir(server.maildir(bob))).toString();
    ok(!/wrong-password|no-auth|as-bob|relay@/.test(all), all);
  });
});

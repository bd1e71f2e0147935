/** Behind HAProxy, and with swaks as one: every decision is about the client that the proxy names. */

import { doesNotMatch, equal, match, ok } from 'node:assert/strict';
import { letter } from '../letters.ts';
import { arrival } from '../maildir.ts';
import { openDialogue } from '../peers/dialogue.ts';
import { startDns } from '../peers/dns.ts';
import { startHaproxy } from '../peers/haproxy.ts';
import { startPosthorn } from '../peers/posthorn.ts';
import { run } from '../process.ts';
import { scenario } from '../runner.ts';
import { eventually } from '../wait.ts';

const alice = 'alice@example.com';
const outsider = 'sender@example.org';
const password = 'correct horse';

/** Of this machine, and not the proxy's own. */
const client = '127.0.0.7';

export const proxies = scenario('proxies: the client is who the proxy says', async ({ world, step }) => {
  const server = await startPosthorn(world, {
    dnsPort: await startDns(world),
    accounts: { [alice]: password },
    protocols: ['smtp', 'submissions'],
    proxyProtocol: ['127.0.0.1'],
    // What a proxy may do, its clients may not.
    relay: { trustedNetworks: ['127.0.0.1', '203.0.113.0/24'] },
    more: { abuse: { exempt: [], authFailures: 1 } },
  });
  const { caFile } = await world.authority();

  const swaks = (port: number, id: string, ...more: string[]) =>
    run(
      'swaks',
      ['--server', '127.0.0.1', '--port', String(port), '--from', outsider, '--data', '-', ...more],
      {
        input: letter({
          from: more.includes(alice) && more.includes('--auth') ? alice : outsider,
          to: alice,
          id,
        }),
      },
    );
  const asProxy = (version: 1 | 2, source: string) => [
    ...['--proxy-version', String(version), '--proxy-family', version === 1 ? 'TCP4' : 'AF_INET'],
    ...(version === 2 ? ['--proxy-protocol', 'STREAM', '--proxy-command', 'PROXY'] : []),
    ...['--proxy-source', source, '--proxy-source-port', '40000'],
    ...['--proxy-dest', '192.0.2.25', '--proxy-dest-port', '25'],
  ];
  const smtp = server.port('smtp');
  const submissions = server.port('submissions');
  const login = (secret: string) => [
    ...['--tls-on-connect', '--tls-ca-path', caFile, '--auth', 'PLAIN'],
    ...['--auth-user', alice, '--auth-password', secret, '--to', alice, '--from', alice],
  ];

  for (const version of [1, 2] as const) {
    const front = await startHaproxy(world, { port: smtp, version });

    await step(`HAProxy, version ${version}: Received names the client`, async () => {
      const id = `haproxy-${version}`;
      const { code, output } = await swaks(front, id, '--to', alice, '--local-interface', client);
      equal(code, 0, output);
      match(String(await arrival(server.maildir(alice), id)), /^Received: from [^\n]*\[127\.0\.0\.7\]/m);
    });

    await step(`HAProxy, version ${version}: the client may not relay, though the proxy may`, async () => {
      const { output } = await swaks(front, 'relayed', '--to', 'x@example.net', '--local-interface', client);
      match(output, /550 5\.7\.1 Relaying denied/);
    });

    await step(`HAProxy, version ${version}: TLS begins after the header, and users log in`, async () => {
      const secure = await startHaproxy(world, { port: submissions, version });
      const { code, output } = await swaks(secure, `haproxy-tls-${version}`, ...login(password));
      equal(code, 0, output);
      await arrival(server.maildir(alice), `haproxy-tls-${version}`);
    });

    await step(
      `swaks, version ${version}: a client in a trusted network may relay, another may not`,
      async () => {
        const to = ['--to', 'x@example.net', '--quit-after', 'RCPT'];
        match(
          (await swaks(smtp, 'x', ...asProxy(version, '203.0.113.9'), ...to)).output,
          /<- {2}250 2\.1\.5/,
        );
        match(
          (await swaks(smtp, 'x', ...asProxy(version, '198.51.100.9'), ...to)).output,
          /550 5\.7\.1 Relaying/,
        );
      },
    );
  }

  await step('HAProxy checks our health, and none of that is refused', async () => {
    doesNotMatch(await server.log(), /connection refused/);
  });

  await step('who comes without a header is closed, and the log says why', async () => {
    const dialogue = await openDialogue(smtp);
    await dialogue.send('EHLO client.example\r\n');
    equal(await dialogue.rest(), '');
    await eventually(
      'the log to tell',
      async () => /malformed PROXY header: no PROXY header/.test(await server.log()) || undefined,
    );
  });

  await step('who guesses passwords is banned, until an operator lifts that', async () => {
    const guesser = asProxy(2, '198.51.100.66');
    for (const guess of ['one', 'two'])
      match((await swaks(submissions, 'x', ...guesser, ...login(guess))).output, /<~\* (?:535|421)/);
    const listed = await server.command(['bans', 'list']);
    match(listed.output, /^198\.51\.100\.66 {2}banned for another 15 minutes.*: too many failed logins/m);
    const refused = await swaks(smtp, 'x', ...guesser, '--to', alice);
    ok(refused.code !== 0);
    match(refused.output, /421 4\.7\.0 mx\.example\.com 198\.51\.100\.66 may not connect/);
    equal((await server.command(['bans', 'lift', '198.51.100.66'])).code, 0);
    const { code, output } = await swaks(smtp, 'lifted', ...guesser, '--to', alice);
    equal(code, 0, output);
  });
});

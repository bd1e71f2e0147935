/** Logging in by tokens of somebody who issues them: curl and msmtp, by OAUTHBEARER and XOAUTH2. */

import { equal, match, notEqual, ok } from 'node:assert/strict';
import { letter } from '../letters.ts';
import { arrival } from '../maildir.ts';
import { startDns } from '../peers/dns.ts';
import { startIssuer } from '../peers/issuer.ts';
import { startPosthorn } from '../peers/posthorn.ts';
import { run } from '../process.ts';
import { scenario } from '../runner.ts';

const alice = 'alice@example.com';
const bob = 'bob@example.com';

export const tokens = scenario(
  'tokens: curl and msmtp log in by OAUTHBEARER and XOAUTH2',
  async ({ world, step }) => {
    const issuer = await startIssuer(world);
    const server = await startPosthorn(world, {
      dnsPort: await startDns(world, { 'login.example.com': { A: ['127.0.0.1'] } }),
      hostname: 'localhost',
      accounts: { [alice]: 'secret', [bob]: 'secret' },
      more: { oauth: { issuer: issuer.url, audience: 'mail', scopes: ['mail'] } },
    });
    const { caFile } = await world.authority();
    const claims = { email: alice, email_verified: true, scope: 'openid mail' };
    const token = issuer.tokenOf(claims);

    const msmtp = (mechanism: string, id: string, shown: string) =>
      run(
        'msmtp',
        [
          ...['--file=/dev/null', '--debug', '--host=localhost', `--port=${server.port('submissions')}`],
          ...[`--auth=${mechanism}`, `--user=${alice}`, `--passwordeval=printf '%s' '${shown}'`],
          ...['--tls=on', '--tls-starttls=off', `--tls-trust-file=${caFile}`, `--from=${alice}`, bob],
        ],
        { input: letter({ from: alice, to: bob, id }) },
      );
    const curl = (mechanism: string, shown: string) =>
      run('curl', [
        ...['-sSv', '--cacert', caFile, `pop3s://localhost:${server.port('pop3s')}/`],
        ...['-u', alice, '--oauth2-bearer', shown, '--login-options', `AUTH=${mechanism}`],
      ]);

    for (const mechanism of ['oauthbearer', 'xoauth2']) {
      await step(`msmtp submits by ${mechanism}`, async () => {
        const { code, output } = await msmtp(mechanism, mechanism, token);
        equal(code, 0, output);
        await arrival(server.maildir(bob), mechanism);
      });
    }

    for (const mechanism of ['OAUTHBEARER', 'XOAUTH2']) {
      await step(`curl reads POP3 by ${mechanism}`, async () => {
        const { code, output } = await curl(mechanism, token);
        equal(code, 0, output);
      });
    }

    await step('a token that is over, for somebody else, or of another user is refused', async () => {
      for (const change of [{ exp: 1 }, { aud: 'web' }, { scope: 'openid' }, { email: bob }]) {
        const { code, output } = await msmtp(
          'oauthbearer',
          'refused',
          issuer.tokenOf({ ...claims, ...change }),
        );
        notEqual(code, 0);
        match(output, /535[ -]5\.7\.8/, JSON.stringify(change));
      }
    });

    await step('no token is in any log', async () => {
      ok(!(await server.log()).includes(token));
    });
  },
);

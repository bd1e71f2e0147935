/**
 * P12, P13: a Postfix that wants a reverse name of whoever comes, as the big receivers do, and our IPv6 address has none. In
 * a network of its own, with addresses as the Internet has them.
 */

import { deepEqual, doesNotMatch, equal, match } from 'node:assert/strict';
import { reverseName } from '../../src/dns/reverse.ts';
import { arrival } from '../maildir.ts';
import { startNetwork } from '../peers/network.ts';
import { startPostfix } from '../peers/postfix.ts';
import { startPosthorn } from '../peers/posthorn.ts';
import { scenario } from '../runner.ts';

const carol = 'carol@example.net';
const alice = 'alice@example.com';
const ours = { four: '203.0.113.5', six: '2001:db8:5::5' };
const theirs = { four: '203.0.113.9', six: '2001:db8:9::9' };

const records = {
  'example.net': { MX: [[10, 'mail.example.net'] as const] },
  'mail.example.net': { A: [theirs.four], AAAA: [theirs.six] },
  'example.com': { MX: [[10, 'mx.example.com'] as const], TXT: [`v=spf1 ip4:${ours.four} -all`] },
  'mx.example.com': { A: [ours.four] },
  [reverseName(ours.four)]: { PTR: ['mx.example.com'] },
};

export const addresses = scenario(
  'addresses: IPv6 without a reverse name costs no bounce',
  async ({ world, step, skip }) => {
    const network = await startNetwork(world, [...Object.values(ours), ...Object.values(theirs)], records);
    if (network === undefined) {
      skip('a network of its own', 'namespaces are not permitted here');
      return;
    }
    const { inside } = network;
    const receiver = await startPostfix(world, {
      mailboxes: [carol],
      network: { inside, addresses: Object.values(theirs) },
      parameters: {
        inet_protocols: 'all',
        inet_interfaces: 'all',
        mynetworks: '127.0.0.0/8',
        smtpd_client_restrictions: 'reject_unknown_client_hostname',
        unknown_client_reject_code: '550',
      },
    });
    const server = await startPosthorn(world, {
      inside,
      dnsPort: 53,
      accounts: { [alice]: 'secret' },
      more: { source: Object.values(ours).map((address) => ({ address })), guard: { blocklists: [] } },
    });
    const send = (subject: string, ...options: string[]) =>
      server.command([
        'send',
        '--from',
        alice,
        '--to',
        carol,
        '--subject',
        subject,
        '--text',
        'Hi',
        ...options,
      ]);

    await step('P12: posthorn doctor finds it first, and says what to enter', async () => {
      const { code, stdout } = await server.command(['doctor', '--json']);
      equal(code, 1);
      const { examined } = JSON.parse(stdout.toString()).sections[0];
      const wrong = examined.flatMap((each: { findings: { severity: string; record?: string }[] }) =>
        each.findings.filter(({ severity }) => severity === 'error').map(({ record }) => record),
      );
      deepEqual(wrong, [
        `${reverseName(ours.six)}. PTR mx.example.com.`,
        `mx.example.com. AAAA ${ours.six}`,
        `example.com. TXT "v=spf1 ip4:${ours.four} ip6:${ours.six} -all"`,
      ]);
    });

    await step('P13: the letter goes over IPv4, and Postfix never hears of the other address', async () => {
      equal((await send('by the guard')).code, 0);
      await arrival(receiver.maildir(carol), 'by the guard');
      doesNotMatch(await receiver.log(), new RegExp(ours.six));
      const { stdout } = await server.command(['trace', carol]);
      match(stdout.toString(), /why: IPv6 comes last: 2001:db8:5::5 has no PTR record/);
    });

    await step(
      'that Postfix does refuse it: without the guard the letter is moved to IPv4 by its complaint',
      async () => {
        equal((await send('without', '--direct')).code, 0);
        await arrival(receiver.maildir(carol), 'without');
        match(await receiver.log(), /reject: RCPT from unknown\[2001:db8:5::5\]: 550 5\.7\.25/);
      },
    );
  },
);

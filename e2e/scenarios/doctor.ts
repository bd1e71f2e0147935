/**
 * P12: the doctor, in a network of its own with addresses as the Internet has them: every fault of DNS that is planted is found
 * and named, and where all is right it finds nothing.
 */

import { match } from 'node:assert/strict';
import { startNetwork } from '../peers/network.ts';
import { plantFaults } from '../peers/plant-faults.ts';
import { startPosthorn } from '../peers/posthorn.ts';
import { runOk } from '../process.ts';
import { scenario } from '../runner.ts';
import type { World } from '../world.ts';

const ours = { four: '203.0.113.7', six: '2001:db8:7::7' };
const domain = 'example.com';
const ports = { smtp: 25, submissions: 465, pop3s: 995, https: 443 };

export const doctor = scenario('doctor: faults of DNS, one by one', async ({ world, step, skip }) => {
  const network = await startNetwork(world, Object.values(ours), {});
  if (network === undefined) {
    skip('a network of its own', 'namespaces are not permitted here');
    return;
  }
  const { inside } = network;
  const first = await startPosthorn(world, {
    inside,
    protocols: [],
    hosts: [`mta-sts.${domain}`],
    accounts: { [`alice@${domain}`]: 'secret' },
    delivery: { allowPrivateAddresses: false },
    more: {
      guard: { enabled: false },
      listener: Object.entries(ports).map(([protocol, port]) => ({ protocol, port, address: '::' })),
      domain: [
        {
          name: domain,
          dkim: { selector: 'posthorn', key: await dkimKey(world) },
          mtaSts: { mode: 'enforce' },
        },
      ],
    },
  });

  await step(
    'P12: each fault is found and named, and nothing where all is right',
    async () => {
      const words = await plantFaults(inside, first.configFile);
      console.log(`       ${words}`);
      match(words, /^(\d+) of \1 DNS faults found, 0 false alarms$/);
    },
    120_000,
  );
});

async function dkimKey(world: World): Promise<string> {
  const file = world.path('dkim.pem');
  await runOk('openssl', ['genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048', '-out', file]);
  return file;
}

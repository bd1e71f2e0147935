/** Certificates by ACME from pebble: by HTTP, by TLS and by DNS; renewed, with another key, refused, for customers only. In a network of its own. */

import { deepEqual, doesNotMatch, equal, match, notEqual, ok } from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { chmod, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startNetwork } from '../peers/network.ts';
import { startPebble } from '../peers/pebble.ts';
import { type Posthorn, startPosthorn } from '../peers/posthorn.ts';
import { run } from '../process.ts';
import { scenario } from '../runner.ts';
import { eventually } from '../wait.ts';
import { customersOnly } from './acme-customers.ts';
import { allIssued, issuedBy } from './acme-issued.ts';

const here = { A: ['127.0.0.1'] };
const records = {
  'example.com': {
    NS: ['ns.example.com'],
    MX: [[10, 'mx.example.com'] as const],
  },
  'ns.example.com': here,
  'mx.example.com': here,
  'pebble.example.com': here,
  'mta-sts.example.com': here,
  'autoconfig.example.com': { CNAME: 'mx.example.com' },
  'mail.example.com': here,
};
const ports = { smtp: 25, submissions: 465, http: 80, https: 443 };
const protocols = ['smtp', 'submissions', 'http', 'https'] as const;

export const acme = scenario('acme: certificates from an authority', async ({ world, step, skip }) => {
  const network = await startNetwork(world, [], records);
  if (network === undefined) return skip('a network of its own', 'namespaces are not permitted here');
  const { inside, zoneFile } = network;
  const { caFile } = await world.authority();
  // Of a hundred requests ten are asked again; that one is refused five times in a row, and given up, is unlikely.
  const pebble = await startPebble(world, { inside, refusedNonces: 10 });
  const table = { directory: pebble.directory, caFile, termsAgreed: true, contact: 'ops@example.com' };
  const begin = (name: string, more: object, certificate: object[] = [], dataDir?: string) =>
    startPosthorn(world, {
      ...{ name, inside, dnsPort: 53, ports, protocols, tls: false, ...(dataDir && { dataDir }) },
      more: { guard: { enabled: false }, acme: { ...table, ...more }, certificate },
    });
  const rootFile = world.path('root.pem');
  await writeFile(rootFile, await pebble.root());

  /** What openssl finds of the certificate that is shown for a name. */
  const verified = async (name: string, ...place: string[]): Promise<string> => {
    const asking = ['openssl', 's_client', ...place, '-servername', name, '-verify_hostname', name];
    const [command = '', ...words] = [...inside, ...asking, '-CAfile', rootFile, '-brief'];
    return (await run(command, words, { input: 'QUIT\r\n' })).output;
  };
  const starttls = ['-connect', '127.0.0.1:25', '-starttls', 'smtp'];

  const first = await begin('http', { challenge: 'http-01' });
  await step('by HTTP: a certificate for our name, and one for those of the web', async () => {
    const issued = await allIssued(first, 2);
    deepEqual(
      issued.map(({ id, certificate }) => [id, certificate?.names.toSorted()]),
      [
        ['mx.example.com', ['mx.example.com']],
        ['mta-sts.example.com', ['autoconfig.example.com', 'mta-sts.example.com']],
      ],
    );
  });
  await step('openssl verifies it over STARTTLS, over TLS, and by the name that is asked for', async () => {
    match(await verified('mx.example.com', ...starttls), /Verification: OK/);
    match(await verified('mx.example.com', '-connect', '127.0.0.1:465'), /Verification: OK/);
    match(await verified('mta-sts.example.com', '-connect', '127.0.0.1:443'), /Verification: OK/);
  });
  await step('keys and account are for the owner only', async () => {
    for (const file of ['account.json', 'state.json', 'mx.example.com.pem'])
      equal((await stat(join(first.dataDir, 'acme', file))).mode & 0o777, 0o600, file);
    equal((await stat(join(first.dataDir, 'acme'))).mode & 0o777, 0o700);
  });
  await step('posthorn tls status tells of it, and of the next renewal', async () => {
    const { code, output } = await first.command(['tls']);
    equal(code, 0, output);
    match(output, /mx\.example\.com {2}\(from the authority\)\n +issued by Pebble Intermediate/);
    match(output, /to be renewed \d{4}-/);
  });

  await step('renewed by force: another certificate with the same key, in use at once', async () => {
    const [before] = await issuedBy(first);
    const shownBefore = await fingerprint(first);
    const { code, output } = await first.command(['tls', 'renew', 'mx.example.com', '--force']);
    equal(code, 0, output);
    const [after] = await issuedBy(first);
    equal(after?.certificate?.spkiSha256, before?.certificate?.spkiSha256);
    notEqual(await fingerprint(first), shownBefore);
    match(await verified('mx.example.com', ...starttls), /Verification: OK/);
  });

  await step('with a TLSA record, a new key waits until DNS shows its own', async () => {
    const [before] = await issuedBy(first);
    const record = [3, 1, 1, before?.certificate?.spkiSha256];
    await changeZone(zoneFile, { '_25._tcp.mx.example.com': { TLSA: [record] } });
    const rolled = await first.command(['tls', 'rollover']);
    match(rolled.output, /it waits: DNS does not show _25\._tcp\.mx\.example\.com TLSA 3 1 1/);
    const [waiting] = await issuedBy(first);
    equal(waiting?.certificate?.spkiSha256, before?.certificate?.spkiSha256);
    const published = await first.command(['dns', 'records', '--zone', '--address', '192.0.2.25']);
    match(published.output, new RegExp(`TLSA +3 1 1 ${waiting?.nextKey?.sha256}`));
  });

  await step('… which can be forced where a key is known to others', async () => {
    const [before] = await issuedBy(first);
    equal((await first.command(['tls', 'rollover', '--now'])).code, 0);
    const [after] = await issuedBy(first);
    equal(after?.certificate?.spkiSha256, before?.nextKey?.sha256);
    equal(after?.nextKey, undefined);
  });
  await step('… and the certificate of the old key is revoked', async () => {
    const file = join(first.dataDir, 'acme', 'mx.example.com.replaced.pem');
    const { serialNumber } = new X509Certificate(await readFile(file));
    equal(await pebble.statusOf(serialNumber), 'Valid');
    match((await first.command(['tls'])).output, /is not revoked: posthorn tls revoke mx\.example\.com/);
    const { code, output } = await first.command(['tls', 'revoke']);
    equal(code, 0, output);
    equal(await pebble.statusOf(serialNumber), 'Revoked');
    doesNotMatch(output, /not revoked/);
    match(await verified('mx.example.com', ...starttls), /Verification: OK/);
  });
  await first.stop();

  const tls = await begin('tls', { challenge: 'tls-alpn-01' }, [{ names: ['mail.example.com'] }]);
  await step(
    'by TLS: the authority finds its answer at port 443, which serves others meanwhile',
    async () => {
      const issued = await allIssued(tls, 3);
      deepEqual(
        issued.map(({ id }) => id),
        ['mx.example.com', 'mail.example.com', 'mta-sts.example.com'],
      );
      match(await verified('mail.example.com', ...starttls), /Verification: OK/);
    },
  );
  await tls.stop();

  const hook = world.path('dns-hook');
  await writeFile(hook, hookText(zoneFile));
  await chmod(hook, 0o755);
  const dns = await begin('dns', { challenge: 'dns-01', hook: [hook], keyType: 'rsa' }, [
    { names: ['*.example.com', 'example.com'] },
  ]);
  await step('by DNS: a hook enters the record and removes it, also for a wildcard', async () => {
    const issued = await allIssued(dns, 3);
    deepEqual(issued[1]?.certificate?.names.toSorted(), ['*.example.com', 'example.com']);
    match(await verified('anything.example.com', ...starttls), /Verification: OK/);
    const zone = await readFile(zoneFile, 'utf8');
    ok(!zone.includes('_acme-challenge'), zone);
  });
  await dns.stop();

  await step('a name that is refused: why, when it is asked again, and mail all the same', async () => {
    await changeZone(zoneFile, { 'mx.example.com': { A: ['127.0.0.9'] } });
    const refused = await begin('refused', { challenge: 'http-01' });
    const [own] = await eventually('a refusal', async () => {
      const issued = await issuedBy(refused);
      return issued[0]?.lastError ? issued : undefined;
    });
    match(own?.lastError?.text ?? '', /did not find \(http-01\) that mx\.example\.com is ours/);
    equal(own?.failures, 1);
    const { code, output } = await refused.command(['tls']);
    equal(code, 1);
    match(output, /of our own making/);
    match(output, /asked again \d{4}-.* \(in 5 minutes\)/);
    await refused.kill();
    await refused.start();
    const [again] = await issuedBy(refused);
    equal(again?.failures, 1, 'a start is no reason to ask again');
    match(await verified('mx.example.com', ...starttls), /self-signed certificate/i);
    await refused.stop();
  });

  await step('an authority that is away: what there is stays in use', async () => {
    await pebble.stop();
    const alone = await begin('alone', { challenge: 'http-01' }, [], first.dataDir);
    equal((await alone.command(['tls', 'renew', '--force'])).code, 1);
    const [own] = await issuedBy(alone);
    match(own?.lastError?.text ?? '', /the authority at pebble\.example\.com:14000 cannot be asked/);
    match(await verified('mx.example.com', ...starttls), /Verification: OK/);
    await alone.stop();
  });

  await changeZone(zoneFile, { 'mx.example.com': here });
  await customersOnly({ world, step }, { inside, begin });
});

async function fingerprint({ dataDir }: Posthorn): Promise<string> {
  const file = join(dataDir, 'acme', 'mx.example.com.pem');
  return (await run('openssl', ['x509', '-in', file, '-noout', '-fingerprint'])).stdout.toString();
}

async function changeZone(file: string, change: object): Promise<void> {
  const zone = JSON.parse(await readFile(file, 'utf8'));
  await writeFile(`${file}.new`, JSON.stringify({ ...zone, ...change }));
  await rename(`${file}.new`, file);
}

/** What a provider's own program would do by its API. */
const hookText = (zoneFile: string): string => `#!/usr/bin/env python3
import json, os, sys
_, order, name, text = sys.argv
with open('${zoneFile}') as file:
    zone = json.load(file)
texts = zone.get(name, {}).get('TXT', [])
texts = texts + [text] if order == 'add' else [each for each in texts if each != text]
zone.pop(name, None)
if texts:
    zone[name] = {'TXT': texts}
with open('${zoneFile}.new', 'w') as file:
    json.dump(zone, file)
os.rename('${zoneFile}.new', '${zoneFile}')
`;

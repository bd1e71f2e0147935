/**
 * From a bare machine to mail that arrives, unattended: `posthorn quickstart`, its zone file given to NSD, mail in from a Postfix
 * and out to it, with DANE: the zone is signed. In a network of its own, with an /etc of its own; the server runs as the user that was made for it.
 */

import { deepEqual, doesNotMatch, equal, match, ok } from 'node:assert/strict';
import { appendFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { arrival, countMaildir } from '../maildir.ts';
import {
  alice,
  commandIn,
  configFile,
  domain,
  filesOf,
  inNetwork,
  ours,
  startNetworks,
  startServer,
} from '../peers/bare-machine.ts';
import { type InternetDns, startInternetDns } from '../peers/internet-dns.ts';
import {
  carol,
  com,
  root,
  sendByPostfix,
  startReceiver,
  startTime,
  swaks,
  useAuthority,
} from '../peers/outside.ts';
import { plantFaults } from '../peers/plant-faults.ts';
import { askPython } from '../peers/verifiers.ts';
import { scenario } from '../runner.ts';
import { eventually } from '../wait.ts';

/** From nothing to mail in both directions. */
const limitMs = 60_000;

interface Printed {
  account: { address: string; password?: string };
  steps: { step: string; state: string; what: string }[];
  records: { domain: string; name: string; type: string; data: string; where: string; notYet?: string }[];
}

const story = (isSigned: boolean) =>
  scenario('quickstart: from nothing to mail', async ({ world, step, skip, say }) => {
    const begun = performance.now();
    const networks = await startNetworks(world);
    if (networks === undefined) {
      skip('a machine of its own', 'namespaces or overlays are not permitted here');
      return;
    }
    const { machine: network, internet } = networks;
    const dns = await startInternetDns(world, [internet, network], {
      zones: { '.': root, com, [domain]: '' },
      signed: { zone: domain, parent: 'com' },
    });
    const postfix = await startReceiver(world, internet);
    await startTime(world, internet);
    const command = commandIn(network);
    const zoneText = async () => (await command('dns', 'records', domain, '--zone')).stdout.toString();
    let printed: Printed;

    await step('one command makes a server, unattended', async () => {
      const { code, stdout, output } = await command(
        'quickstart',
        domain,
        '--user',
        'alice',
        '--no-systemd',
        '--json',
      );
      equal(code, 0, output);
      printed = JSON.parse(stdout.toString());
      deepEqual(
        printed.steps.filter(({ state }) => state === 'failed'),
        [],
      );
      equal(printed.account.address, alice);
      match(
        printed.steps.find(({ step: name }) => name === 'port 25 out')?.what ?? '',
        /open: gmail\.com answers/,
      );
    });

    await step('run again it changes nothing, and shows no password', async () => {
      const before = await filesOf(network);
      const { code, output } = await command('quickstart', domain, '--user', 'alice', '--no-systemd');
      equal(code, 0, output);
      doesNotMatch(output, /shown this once/);
      deepEqual(await filesOf(network), before);
    });

    await step('its unit leaves little to attack: systemd-analyze says 2.0 at most', async () => {
      const unit = '/etc/posthorn/systemd/posthorn.service';
      const { output } = await inNetwork(
        network,
        'systemd-analyze',
        'security',
        '--offline=true',
        '--no-pager',
        unit,
      );
      const [, exposure = '10'] = /Overall exposure level for posthorn\.service: ([\d.]+)/.exec(output) ?? [];
      ok(Number(exposure) <= 2, output);
    });

    await step('the zone file that it prints is one that NSD takes', async () => {
      const text = await zoneText();
      match(text, /^_25\._tcp\.mx\.example\.com\. .* TLSA {2}3 1 1 [\da-f]{64}$/m);
      await enterRecords(dns, text, printed);
    });

    await step('an edited configuration is taken as it is: another authority', async () => {
      await useAuthority(world, networks);
      const { code, output } = await command('config', 'check');
      equal(code, 0, output);
    });

    await step(
      'the server starts as its own user, which may listen on low ports and nothing more',
      async () => {
        await startServer(world, network);
      },
    );

    await step('certificates come by ACME, for the server and for what the web serves', async () => {
      const issued = (name: string) => join(network.root, 'var/lib/posthorn/acme', `${name}.${domain}.pem`);
      const isThere = (file: string) => stat(file).then(Boolean, () => undefined);
      for (const name of ['mx', 'mta-sts'])
        await eventually(`a certificate for ${name}`, () => isThere(issued(name)));
    });

    await step('only now the records announce MTA-STS, in mode testing', async () => {
      equal(announcementOf(printed)?.notYet?.includes('no certificate of this server'), true);
      const { stdout } = await command('dns', 'records', domain, '--json');
      printed = { ...printed, records: JSON.parse(stdout.toString()).records };
      equal(announcementOf(printed)?.notYet, undefined);
      await dns.enter(domain, await zoneText());
    });

    await step('P1: swaks brings a letter to the new account, and to its postmaster', async () => {
      for (const to of [alice, `postmaster@${domain}`]) {
        const { code, output } = await swaks(internet, ['--to', to, '--from', carol, '--server', ours.four]);
        equal(code, 0, output);
      }
      const inbox = join(network.root, 'var/lib/posthorn/accounts', alice, 'Maildir');
      await eventually('two letters', async () => ((await countMaildir(inbox)) === 2 ? true : undefined));
    });

    await step(
      'P4: swaks sends one with the password that was shown, and Postfix finds it authentic',
      async () => {
        const { password = '' } = printed.account;
        const login = ['--auth-user', alice, '--auth-password', password, '--tls-on-connect'];
        const { code, output } = await swaks(internet, [
          ...['--to', carol, '--from', alice, '--server', ours.four, '--port', '465'],
          ...login,
          ...['--header', 'Subject: first letter'],
        ]);
        equal(code, 0, output);
        const letter = await arrival(postfix.maildir(carol), 'first letter');
        match(letter.toString('latin1'), /^Received: from mx\.example\.com \(mx\.example\.com \[/m);
        const { signatures } = await askPython({ zone: textsOf(printed), verify: [letter] });
        deepEqual(signatures, [[true, true]]);
      },
    );

    await step(
      'Postfix, which knows DANE, brings a letter: its TLS is verified by the TLSA record',
      async () => {
        await sendByPostfix(internet);
        await postfix.logged(/Verified TLS connection established to mx\.example\.com/);
        await postfix.logged(/to=<alice@example\.com>.*status=sent/);
      },
    );

    await step('P12: posthorn doctor finds nothing wrong, and DANE right', async () => {
      const { code, output } = await command('doctor', '--strict');
      equal(code, 0, output);
      doesNotMatch(output, /^ +(warning|error)\b/m);
      match(output, /DANE.*3 1 1 [\da-f]{64} is the key of the certificate/);
    });

    await step('all of that within a minute', () => {
      const tookMs = performance.now() - begun;
      ok(tookMs <= limitMs, `it took ${Math.round(tookMs / 1000)} s`);
    });

    await step(
      'with a TLSA record of another key Postfix keeps its letter, and the doctor says why',
      async () => {
        const right = await zoneText();
        await dns.enter(domain, right.replace(/(TLSA {2}3 1 1 )[\da-f]{64}/, `$1${'5a'.repeat(32)}`));
        await sendByPostfix(internet);
        await postfix.logged(/to=<alice@example\.com>.*status=deferred/);
        const { code, output } = await command('doctor');
        equal(code, 1, output);
        match(output, /\[dane-mismatch\]/);
        await dns.enter(domain, right);
      },
    );

    await step('a new key waits for its TLSA record, which the doctor misses until it is there', async () => {
      equal((await command('tls', 'rollover')).code, 0);
      match((await command('doctor')).output, /\[dane-next-missing\]/);
      const both = await zoneText();
      equal(both.match(/TLSA {2}3 1 1 [\da-f]{64}$/gm)?.length, 2);
      await dns.enter(domain, both);
      const { code, output } = await command('doctor', '--strict');
      equal(code, 0, output);
      doesNotMatch(output, /\[dane-/);
    });

    await step(
      'when its signatures are over, the domain is gone, and the doctor says since when',
      async () => {
        const right = await zoneText();
        await dns.enter(domain, right, 'expired');
        const { code, output } = await command('doctor');
        equal(code, 1, output);
        match(output, /has expired at \d{4}-\d\d-\d\d .*\[dnssec-expired\]/);
        await dns.enter(domain, right);
        const mended = await command('doctor', '--strict');
        equal(mended.code, 0, mended.output);
        match(mended.output, /have the zone example\.com; signed/);
      },
    );

    await step(
      'P12: it finds and names every fault of DNS that is planted around the server',
      async () => {
        // A doctor who looks some twenty times a second is a client that comes too often.
        await appendFile(join(network.root, configFile), '\n[abuse]\nconnectionsPerMinute = 0\n');
        equal((await command('reload')).code, 0);
        const words = await plantFaults(network.inside, configFile, isSigned);
        say(words);
        match(words, /^(\d+) of \1 DNS faults found, 0 false alarms in \d+ right zones$/);
      },
      120_000,
    );
  });

export const quickstart = story(false);
/** Where the faults are planted into a zone that is signed anew each time: by hand, for it takes as long again. */
export const quickstartSigned = story(true);

/** What is for the zone into the zone, what is for the provider into the root, which has everything else. */
async function enterRecords(dns: InternetDns, zoneFile: string, { records }: Printed): Promise<void> {
  await dns.enter(domain, zoneFile);
  const reverse = records.filter(({ where }) => where === 'provider');
  equal(reverse.length, 2);
  await dns.enter('.', root + reverse.map(({ name, data }) => `${name}. PTR ${data}\n`).join(''));
}

const announcementOf = ({ records }: Printed) => records.find(({ name }) => name === `_mta-sts.${domain}`);

const textsOf = ({ records }: Printed) =>
  Object.fromEntries(
    records.filter(({ type }) => type === 'TXT').map(({ name, data }) => [name, { TXT: [data] }]),
  );

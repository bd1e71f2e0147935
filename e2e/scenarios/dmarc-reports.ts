/** DMARC reports (RFC 9990): a Postfix gets one by mail, and libxml2 finds it as the schema has it. */

import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { letter } from '../letters.ts';
import { arrival } from '../maildir.ts';
import { deliver } from '../peers/dialogue.ts';
import { startDns } from '../peers/dns.ts';
import { startPostfix } from '../peers/postfix.ts';
import { startPosthorn } from '../peers/posthorn.ts';
import { runOk } from '../process.ts';
import { scenario } from '../runner.ts';

const alice = 'alice@example.com';
const carol = 'carol@example.net';
const reports = 'dmarc@example.net';
const schema = fileURLToPath(new URL('../schemas/dmarc-report.xsd', import.meta.url));

export const dmarcReports = scenario(
  'dmarc-reports: a domain is told what came in its name',
  async ({ world, step }) => {
    const dnsPort = await startDns(world, {
      'example.net': { MX: [[10, 'mail.example.net']], TXT: ['v=spf1 ip4:127.0.0.1 -all'] },
      'mail.example.net': { A: ['127.0.0.1'] },
      '_dmarc.example.net': { TXT: [`v=DMARC1; p=quarantine; np=reject; rua=mailto:${reports}!1m`] },
    });
    const receiver = await startPostfix(world, { mailboxes: [carol, reports] });
    const key = world.path('dkim.pem');
    await runOk('openssl', ['genrsa', '-out', key, '2048']);
    const settings = {
      dnsPort,
      domains: [{ name: 'example.com', dkim: { selector: 'posthorn', key } }],
      delivery: { port: receiver.port },
      more: { reports: { dmarc: true, organization: 'Example & Söhne' } },
    };
    const today = await startPosthorn(world, { ...settings, accounts: { [alice]: 'secret' } });
    for (const [id, from] of [
      ['aligned', carol],
      ['second', carol],
      ['forged', 'x@elsewhere.example'],
    ] as const) {
      const content = letter({ from: carol, to: alice, id });
      match(await deliver(today.port('smtp'), { from, to: [alice] }, content), /^250/);
      await arrival(id === 'forged' ? `${today.maildir(alice)}/.Junk` : today.maildir(alice), id);
    }
    await today.stop();
    const later = await startPosthorn(world, {
      ...settings,
      name: 'later',
      dataDir: today.dataDir,
      inside: ['faketime', '-f', '+2d'],
    });

    let xml = '';
    await step('two days later Postfix has a report by mail, which Python unpacks', async () => {
      const mailed = await arrival(receiver.maildir(reports), 'Report Domain');
      const { stdout } = await runOk('python3', ['-c', reader], { input: mailed });
      const read: Read = JSON.parse(stdout.toString());
      match(read.subject, /^Report Domain: example\.net Submitter: example\.com Report-ID:\s\w+$/);
      match(read.name, /^example\.com!example\.net!\d+!\d+!\w+\.xml\.gz$/);
      ok(read.signed.includes('d=example.com'), read.signed);
      xml = read.xml;
    });

    await step('xmllint finds it valid', async () => {
      const path = world.path('report.xml');
      await writeFile(path, xml);
      await runOk('xmllint', ['--noout', '--nonet', '--schema', schema, path]);
    });

    await step('it counts who sent as the domain, and what became of it', () => {
      const rows = [...xml.matchAll(/<count>(\d+)<\/count>[\s\S]*?<disposition>(\w+)<\/disposition>/g)];
      deepEqual(
        rows.map(([, count, disposition]) => [count, disposition]),
        [
          ['2', 'pass'],
          ['1', 'quarantine'],
        ],
      );
      ok(xml.includes('<org_name>Example &amp; Söhne</org_name>'));
      equal(/<np>(\w+)<\/np>/.exec(xml)?.[1], 'reject');
    });

    await step('the server tells what it has sent', async () => {
      const { stdout } = await later.command(['trace', reports]);
      match(stdout.toString(), /DMARC report on example\.net for \S+ sent/);
    });
  },
);

interface Read {
  subject: string;
  name: string;
  signed: string;
  xml: string;
}

const reader = `
import email, email.policy, gzip, json, sys
message = email.message_from_binary_file(sys.stdin.buffer, policy=email.policy.default)
part, = [each for each in message.walk() if each.get_content_type() == 'application/gzip']
print(json.dumps({
    'subject': message['Subject'],
    'signed': message['DKIM-Signature'],
    'name': part.get_filename(),
    'xml': gzip.decompress(part.get_payload(decode=True)).decode(),
}))
`;

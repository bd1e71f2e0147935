/** TLS reports (RFC 8460): a Postfix gets one by mail, a web server by HTTPS, and Python reads both. */

import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { letter } from '../letters.ts';
import { arrival, countMaildir } from '../maildir.ts';
import { deliver } from '../peers/dialogue.ts';
import { startDns } from '../peers/dns.ts';
import { startHttpsHost } from '../peers/https-host.ts';
import { startPostfix } from '../peers/postfix.ts';
import { startPosthorn } from '../peers/posthorn.ts';
import { runOk } from '../process.ts';
import { scenario } from '../runner.ts';
import { eventually } from '../wait.ts';

const alice = 'alice@example.com';
const carol = 'carol@example.net';
const reports = 'tls@example.net';

export const tlsReports = scenario(
  'tls-reports: the other side is told how TLS went',
  async ({ world, step }) => {
    const authority = await world.authority();
    const theirs = await authority.issue('mail.example.net');
    const web = await startHttpsHost(world, await authority.issue('reports.example.net'));
    const url = `https://reports.example.net:${web.port}/v1/tls`;
    const dnsPort = await startDns(world, {
      'example.net': { MX: [[10, 'mail.example.net']] },
      'mail.example.net': { A: ['127.0.0.1'] },
      'reports.example.net': { A: ['127.0.0.1'] },
      '_smtp._tls.example.net': { TXT: [`v=TLSRPTv1; rua=mailto:${reports},${url}`] },
    });
    const receiver = await startPostfix(world, {
      mailboxes: [carol, reports],
      parameters: {
        smtpd_tls_security_level: 'may',
        smtpd_tls_cert_file: theirs.cert,
        smtpd_tls_key_file: theirs.key,
      },
    });
    const key = world.path('dkim.pem');
    await runOk('openssl', ['genrsa', '-out', key, '2048']);
    const settings = {
      dnsPort,
      domains: [{ name: 'example.com', dkim: { selector: 'posthorn', key } }],
      relay: { trustedNetworks: ['127.0.0.0/8'] },
      delivery: { port: receiver.port },
    };
    const today = await startPosthorn(world, { ...settings, accounts: { [alice]: 'secret' } });
    const content = letter({ from: alice, to: carol, id: 'counted' });
    match(await deliver(today.port('smtp'), { from: alice, to: [carol] }, content), /^250/);
    await arrival(receiver.maildir(carol), 'counted');
    await today.stop();
    equal(await countMaildir(receiver.maildir(reports)), 0);
    const later = await startPosthorn(world, {
      ...settings,
      name: 'later',
      dataDir: today.dataDir,
      inside: ['faketime', '-f', '+2d'],
    });

    let mailed: Read | undefined;
    await step('two days later Postfix has a report by mail, which Python can read', async () => {
      mailed = await readByPython(await arrival(receiver.maildir(reports), 'multipart/report'));
      const { type, domain, submitter, name, signed } = mailed;
      deepEqual(
        { type, domain, submitter },
        { type: 'multipart/report', domain: 'example.net', submitter: 'example.com' },
      );
      match(name, /^example\.com!example\.net!\d+!\d+!\w+\.json\.gz$/);
      ok(signed.includes('d=example.com'), signed);
    });

    await step('it counts the one session, which was as it should be', () => {
      const { policies, ...head } = mailed?.report ?? {};
      deepEqual(policies?.[0]?.summary, {
        'total-successful-session-count': 1,
        'total-failure-session-count': 0,
      });
      equal(head['contact-info'], 'postmaster@example.com');
    });

    await step('the web server has the same report, once', async () => {
      const posted = await eventually('a POST', async () => {
        const all = await web.posted();
        return all.length > 0 ? all : undefined;
      });
      equal(posted.length, 1);
      equal(posted[0]?.path, '/v1/tls');
      equal(posted[0]?.type, 'application/tlsrpt+gzip');
      const { stdout } = await runOk('python3', ['-c', gunzip], { input: posted[0]?.body ?? '' });
      deepEqual(JSON.parse(stdout.toString()), mailed?.report);
    });

    await step('the server tells what it has sent', async () => {
      match(await later.log(), /"uri":"mailto:tls@example\.net".*"msg":"TLS report sent"/);
      const { stdout } = await later.command(['trace', reports]);
      match(stdout.toString(), /TLS report on example\.net for \S+ sent/);
    });
  },
);

interface Read {
  type: string;
  domain: string;
  submitter: string;
  name: string;
  signed: string;
  report: { policies?: { summary: Record<string, number> }[]; [key: string]: unknown };
}

const gunzip = 'import gzip, sys; sys.stdout.buffer.write(gzip.decompress(sys.stdin.buffer.read()))';

const reader = `
import email, email.policy, gzip, json, sys
message = email.message_from_binary_file(sys.stdin.buffer, policy=email.policy.default)
part, = [each for each in message.walk() if each.get_content_type() == 'application/tlsrpt+gzip']
print(json.dumps({
    'type': message.get_content_type(),
    'domain': message['TLS-Report-Domain'],
    'submitter': message['TLS-Report-Submitter'],
    'signed': message['DKIM-Signature'],
    'name': part.get_filename(),
    'report': json.loads(gzip.decompress(part.get_payload(decode=True))),
}))
`;

async function readByPython(message: Buffer): Promise<Read> {
  const { stdout } = await runOk('python3', ['-c', reader], { input: message });
  return JSON.parse(stdout.toString());
}

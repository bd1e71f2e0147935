import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { tickMs } from '../reporting/day-reports.ts';
import { eventually } from '../testing/eventually.ts';
import { fakeClock } from '../testing/fake-clock.ts';
import { freePort } from '../testing/free-ports.ts';
import { startHttpsHost } from '../testing/https-host.ts';
import { startReceiver } from '../testing/receiver.ts';
import { startWorld } from '../testing/world.ts';

const sender = 'sender@example.com';
const recipient = 'recipient@example.net';
const dayMs = 24 * 3600_000;
const noon = Date.UTC(2026, 0, 5, 12);

const reportIn = (gzip: Buffer) => JSON.parse(gunzipSync(gzip).toString());

/** The attachment of a report by mail. */
function attachmentOf(message: string): Buffer {
  const [, base64 = ''] = /application\/tlsrpt\+gzip\r\n.*?\r\n\r\n(.*?)\r\n--/s.exec(message) ?? [];
  return Buffer.from(base64, 'base64');
}

test('TLS reports: who asks for them is told how the day went, by signed mail that passes DMARC', async () => {
  const clock = fakeClock(noon);
  await using world = await startWorld({
    clock,
    servers: {
      'example.com': {
        accounts: { [sender]: 'secret' },
        settings: { reports: { organization: 'Example Ltd', contact: sender } },
      },
      'example.net': { accounts: { [recipient]: 'secret' } },
    },
    dns: { '_smtp._tls.example.net': { TXT: [`v=TLSRPTv1; rua=mailto:${recipient}`] } },
  });
  const { 'example.com': ours, 'example.net': theirs } = world.servers;
  const { queueId = '' } = await ours.submit({ from: sender, to: [recipient] });
  expect(await ours.settled(queueId)).toMatchObject([{ state: 'delivered' }]);

  clock.advance(dayMs);
  const letters = await theirs.inbox(recipient, 2);
  const report = letters.find((letter) => letter.includes('multipart/report')) ?? '';
  expect(report).toMatch(/^Authentication-Results: .*dkim=pass.*dmarc=pass.*header.from=example\.com/ms);
  expect(report).toContain('TLS-Report-Domain: example.net\r\nTLS-Report-Submitter: example.com\r\n');
  expect(reportIn(attachmentOf(report))).toMatchObject({
    'organization-name': 'Example Ltd',
    'contact-info': sender,
    'date-range': { 'start-datetime': '2026-01-05T00:00:00Z' },
    policies: [
      {
        policy: { 'policy-type': 'no-policy-found', 'policy-domain': 'example.net' },
        summary: { 'total-successful-session-count': 1, 'total-failure-session-count': 0 },
      },
    ],
  });
  const { queueId: reportId, data } = await ours.event(recipient, 'tlsReported');
  expect(data).toMatchObject({ uri: `mailto:${recipient}`, domain: 'example.net', day: '2026-01-05' });
  expect(await ours.settled(reportId)).toMatchObject([{ recipient, state: 'delivered' }]);

  // The report's own session is not reported (RFC 8460 §3), and nothing is told twice.
  for (let day = 0; day < 2; day += 1) {
    clock.advance(dayMs);
    await eventually(async () => clock.planned.includes(clock.now() + tickMs) || undefined, {
      explain: () => 'the reports do not come to rest',
    });
  }
  expect(await theirs.files(recipient)).toHaveLength(2);
});

test('TLS reports: a receiver without TLS is told of it over HTTPS, for each domain that it serves', async () => {
  const clock = fakeClock(noon);
  const address = '127.0.0.51';
  const port = await freePort([address]);
  await using receiver = await startReceiver({ address, port });
  await using world = await startWorld({
    clock,
    servers: { 'example.com': { accounts: { [sender]: 'secret' }, settings: { delivery: { port } } } },
  });
  await using host = await startHttpsHost(world.authority.issue(['reports.example.net']));
  world.dns.change({
    'example.net': { MX: [[10, 'mx.example.net']] },
    'mx.example.net': { A: [address] },
    'reports.example.net': { A: ['127.0.0.1'] },
    '_smtp._tls.example.net': { TXT: [`v=TLSRPTv1; rua=https://reports.example.net:${host.port}/`] },
    'hosted.example': { MX: [[10, 'mx.example.net']] },
    '_smtp._tls.hosted.example': { TXT: [`v=TLSRPTv1; rua=https://reports.example.net:${host.port}/`] },
  });
  const ours = world.servers['example.com'];
  const { queueId = '' } = await ours.submit({ from: sender, to: [recipient, 'ann@hosted.example'] });
  expect(await ours.settled(queueId)).toMatchObject([{ state: 'delivered' }, { state: 'delivered' }]);
  expect(receiver.taken).toHaveLength(1); // in one dialogue

  clock.advance(dayMs);
  await eventually(async () => host.requests.length > 1 || undefined, {
    explain: () => 'not both were posted',
  });
  const reports = host.requests.map(({ body }) => reportIn(body).policies[0]);
  expect(reports.map((report) => report.policy['policy-domain']).sort()).toEqual([
    'example.net',
    'hosted.example',
  ]);
  const part = {
    summary: { 'total-successful-session-count': 0, 'total-failure-session-count': 1 },
    'failure-details': [
      {
        'result-type': 'starttls-not-supported',
        'receiving-mx-hostname': 'mx.example.net',
        'receiving-ip': address,
        'failed-session-count': 1,
      },
    ],
  };
  expect(reports).toMatchObject([part, part]);
});

/**
 * The web listeners as others see them: curl at every address, libxml2 and Python on what comes, nginx in front, a second
 * server of ours that holds the first to its MTA-STS policy, and many requests while mail flows.
 */

import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { letter } from '../letters.ts';
import { arrival } from '../maildir.ts';
import { deliver } from '../peers/dialogue.ts';
import { startDns } from '../peers/dns.ts';
import { startNginx } from '../peers/nginx.ts';
import { startPosthorn } from '../peers/posthorn.ts';
import { run, runOk } from '../process.ts';
import { scenario } from '../runner.ts';
import type { World } from '../world.ts';

const ann = 'ann@example.net';
const alice = 'alice@example.com';
const hostname = 'mx.example.net';
const names = ['mta-sts.example.net', 'autoconfig.example.net', 'autodiscover.example.net', 'example.net'];

const policyPath = '/.well-known/mta-sts.txt';
const policy = `version: STSv1\r\nmode: enforce\r\nmx: ${hostname}\r\nmax_age: 1209600\r\n`;
const question =
  '<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"><Request>' +
  `<EMailAddress>${ann}</EMailAddress>` +
  '<AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema>' +
  '</Request></Autodiscover>';

/** Of these there are more than a server in its right mind gets in a day. */
const requests = 10_000;

export const web = scenario(
  'web: policies, settings, and what is in front of them',
  async ({ world, step }) => {
    const here = { A: ['127.0.0.1'] };
    const dns: Parameters<typeof startDns>[1] & object = {
      'example.net': { MX: [[10, hostname]], ...here },
      [hostname]: here,
      'mta-sts.example.net': here,
    };
    const https = await world.port();
    const smtp = await world.port();
    const server = await startPosthorn(world, {
      name: 'ours',
      hostname,
      hosts: names,
      dnsPort: await startDns(world, dns),
      domains: [{ name: 'example.net', mtaSts: { mode: 'enforce' } }],
      ports: { https, smtp },
      protocols: ['smtp', 'submissions', 'submission', 'pop3s', 'http', 'https'],
      accounts: { [ann]: 'secret' },
      more: { guard: { enabled: false } },
    });
    const asked = curl(world, https, server.port('http'));

    await step('curl: the policy, under the name of its host alone', async () => {
      const { status, body } = await asked(`https://mta-sts.example.net${policyPath}`);
      deepEqual([status, body], ['200', policy]);
      equal((await asked(`https://example.net${policyPath}`)).status, '404');
    });

    await step('curl: port 80 leads to HTTPS, and from there to the policy', async () => {
      const { status, body } = await asked(`http://mta-sts.example.net${policyPath}`, '--location');
      deepEqual([status, body], ['200', policy]);
    });

    await step('xmllint: autoconfig, at both places, says what listens', async () => {
      for (const url of [
        'https://autoconfig.example.net/mail/config-v1.1.xml?emailaddress=ann%40example.net',
        'https://example.net/.well-known/autoconfig/mail/config-v1.1.xml',
      ]) {
        const { status, body } = await asked(url);
        equal(status, '200');
        const found = await xpath(body, 'string(//outgoingServer[socketType="STARTTLS"]/port)');
        equal(found, String(server.port('submission')));
        equal(await xpath(body, 'string(//incomingServer[@type="pop3"]/port)'), String(server.port('pop3s')));
      }
    });

    await step('xmllint: autodiscover answers a POST as Outlook sends it', async () => {
      const url = 'https://autodiscover.example.net/autodiscover/autodiscover.xml';
      const { status, body } = await asked(url, '--header', 'Content-Type: text/xml', '--data', question);
      equal(status, '200');
      const inProtocol = (type: string, name: string) =>
        xpath(
          body,
          `string(//*[local-name()="Protocol"][*[local-name()="Type"]="${type}"]/*[local-name()="${name}"])`,
        );
      equal(await inProtocol('POP3', 'Port'), String(server.port('pop3s')));
      equal(await inProtocol('SMTP', 'LoginName'), ann);
    });

    await step('Python: the profile for Apple is a property list', async () => {
      const { status, body } = await asked(`https://example.net/mobileconfig?address=${ann}`);
      equal(status, '200');
      const read = 'import plistlib,sys,json; print(json.dumps(plistlib.loads(sys.stdin.buffer.read())))';
      const { stdout } = await runOk('python3', ['-c', read], { input: body });
      const profile = JSON.parse(stdout.toString());
      equal(profile.PayloadType, 'Configuration');
      const [account] = profile.PayloadContent;
      deepEqual(
        [account.PayloadType, account.EmailAddress, account.IncomingMailServerHostName],
        ['com.apple.mail.managed', ann, hostname],
      );
      equal(account.IncomingMailServerPortNumber, server.port('pop3s'));
    });

    await step('curl: how the server is, its figures, and no name that is not ours', async () => {
      deepEqual((await asked(`https://${hostname}/healthz`)).body, 'live\n');
      deepEqual((await asked(`https://${hostname}/readyz`)).body, 'ready\n');
      match((await asked(`https://${hostname}/metrics`)).body, /^# TYPE \S+ \w+$/m);
      equal((await asked(`https://${hostname}/healthz`, '--header', 'Host: other.example')).status, '421');
      equal((await asked(`https://${hostname}/nothing`)).status, '404');
    });

    await step('nginx in front serves the same, and its visitors read no figures', async () => {
      const inner = await startPosthorn(world, {
        name: 'inner',
        hostname,
        hosts: names, // it is the same file, in which the first server looks for a new certificate
        protocols: ['http', 'submissions'],
        proxied: true,
        domains: [{ name: 'example.net', mtaSts: { mode: 'enforce' } }],
        dnsPort: await startDns(world),
        more: { guard: { enabled: false }, web: { metrics: ['127.0.0.1'] } },
      });
      const authority = await world.authority();
      const certificate = await authority.issue('front.example.net', hostname, ...names);
      const front = await startNginx(world, {
        port: inner.port('http'),
        names: [hostname, ...names],
        certificate,
      });
      const visited = curl(world, front.https, front.http);
      deepEqual((await visited(`https://mta-sts.example.net${policyPath}`)).body, policy);
      const { status, location } = await visited(`http://mta-sts.example.net${policyPath}`);
      deepEqual([status, location], ['301', `https://mta-sts.example.net${policyPath}`]);
      equal((await visited('https://autoconfig.example.net/mail/config-v1.1.xml')).status, '200');
      const figures = (...more: string[]) => visited(`https://${hostname}/metrics`, ...more);
      equal((await figures()).status, '200');
      const elsewhere = ['--interface', '127.0.0.9', '--header', 'X-Forwarded-For: 127.0.0.1'];
      equal((await figures(...elsewhere)).status, '403');
    });

    await step('a second server of ours holds it to the policy', async () => {
      const { body } = await asked(`https://mta-sts.example.net${policyPath}`);
      const { stdout } = await server.command(['dns', 'records', 'example.net', '--json']);
      const records: { name: string; data: string }[] = JSON.parse(stdout.toString()).records;
      const record = records.find(({ name }) => name === '_mta-sts.example.net')?.data ?? '';
      match(record, /^v=STSv1; id=\w+$/);
      ok(body.startsWith('version: STSv1'));
      const sender = await startPosthorn(world, {
        name: 'sender',
        dnsPort: await startDns(world, { ...dns, '_mta-sts.example.net': { TXT: [record] } }),
        accounts: { [alice]: 'secret' },
        delivery: { port: smtp, httpsPort: https },
        more: { guard: { enabled: false } },
      });
      const sent = await sender.command([
        'send',
        '--from',
        alice,
        '--to',
        ann,
        '--subject',
        'Held',
        '--text',
        'Hi',
      ]);
      equal(sent.code, 0, sent.output);
      await arrival(server.maildir(ann), 'Subject: Held');
      const story = await sender.command(['trace', ann]);
      match(story.output, /TLS policy: MTA-STS, enforced/);
    });

    await step(
      `${requests} requests while mail flows: all are answered, and no letter waits for it`,
      async () => {
        const answered = ask(server.port('http'), requests);
        const times: number[] = [];
        let isOver = false;
        void answered.finally(() => {
          isOver = true;
        });
        for (let count = 0; !isOver || count < 10; count += 1) {
          const startedAt = performance.now();
          const content = letter({ from: 'sender@example.org', to: ann, id: `busy-${count}` });
          match(await deliver(smtp, { from: 'sender@example.org', to: [ann] }, content), /^250/);
          times.push(performance.now() - startedAt);
        }
        equal(await answered, requests);
        ok(Math.max(...times) < 2000, `a letter took ${Math.round(Math.max(...times))} ms`);
      },
    );
  },
);

/** Follows names to our ports, whatever they are, and believes our authority. */
function curl(world: World, https: number, http: number) {
  return async (url: string, ...more: string[]) => {
    const { caFile } = await world.authority();
    const marked = '\n%{http_code} %{redirect_url}';
    const ways = [`:80:127.0.0.1:${http}`, `:443:127.0.0.1:${https}`, `:${https}:127.0.0.1:${https}`];
    const places = ways.flatMap((way) => ['--connect-to', way]);
    const { stdout } = await runOk('curl', [
      ...['--silent', '--show-error', '--cacert', caFile, '--max-time', '10', '--write-out', marked],
      ...places,
      ...more,
      url,
    ]);
    const text = stdout.toString();
    const end = text.lastIndexOf('\n');
    const [status, location] = text.slice(end + 1).split(' ');
    return { status, location, body: text.slice(0, end) };
  };
}

async function xpath(document: string, expression: string): Promise<string> {
  const { code, stdout, output } = await run('xmllint', ['--xpath', expression, '-'], { input: document });
  equal(code, 0, output);
  return stdout.toString().trim();
}

/** How many were answered with 200. */
async function ask(port: number, count: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 10 });
  let asked = 0;
  let good = 0;
  const one = () =>
    new Promise<void>((resolve, reject) => {
      const options = { host: '127.0.0.1', port, agent, path: '/healthz', headers: { host: hostname } };
      request(options, (answer) => {
        if (answer.statusCode === 200) good += 1;
        answer.resume().once('end', resolve);
      })
        .once('error', reject)
        .end();
    });
  const visitor = async () => {
    while (asked++ < count) await one();
  };
  await Promise.all(Array.from({ length: 10 }, visitor));
  agent.destroy();
  return good;
}

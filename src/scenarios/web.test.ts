import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stsPolicyOf } from '../config/sts-policies.ts';
import { parsePolicy } from '../mta-sts/policy.ts';
import { policyRecord } from '../mta-sts/serve.ts';
import { freePort } from '../testing/free-ports.ts';
import { LineConnection } from '../testing/line-connection.ts';
import { type Asking, askWeb } from '../testing/web-client.ts';
import { startWorld, type World } from '../testing/world.ts';
import { parseXml, type XmlElement } from '../util/xml.ts';

const sender = 'sender@example.com';
const reader = 'ann@example.net';
const hosts = ['mta-sts', 'autoconfig', 'autodiscover'].flatMap((name) => [`${name}.example.net`]);

let world: World<'example.com' | 'example.net'>;
let ports: { https: number; http: number; proxied: number; headed: number };
beforeAll(async () => {
  const address = '127.0.0.1';
  const free = () => freePort([address]);
  ports = { https: await free(), http: await free(), proxied: await free(), headed: await free() };
  world = await startWorld({
    servers: {
      'example.com': {
        accounts: { [sender]: 'secret' },
        settings: { delivery: { httpsPort: ports.https } },
      },
      'example.net': {
        accounts: { [reader]: 'secret' },
        hosts: [...hosts, 'example.net'],
        settings: { domain: [{ name: 'example.net', mtaSts: { mode: 'enforce' } }] },
        listeners: [
          { protocol: 'https', address, port: ports.https },
          { protocol: 'http', address, port: ports.http },
          { protocol: 'http', address, port: ports.proxied, proxied: true },
          { protocol: 'http', address, port: ports.headed, proxyProtocol: [address] },
        ],
      },
    },
    dns: { 'mta-sts.example.net': { A: [address] } },
  });
});
afterAll(() => world[Symbol.asyncDispose]());

const secure = (host: string, path: string, more: Partial<Asking> = {}) =>
  askWeb({ port: ports.https, authority: world.authority.cert, host, path, ...more });
const plain = (host: string, path: string, more: Partial<Asking> = {}) =>
  askWeb({ port: ports.http, host, path, ...more });
const proxied = (host: string, path: string, headers: Record<string, string>, more: Partial<Asking> = {}) =>
  askWeb({ port: ports.proxied, host, path, headers, ...more });

const policyPath = '/.well-known/mta-sts.txt';
const policy = 'version: STSv1\r\nmode: enforce\r\nmx: mx.example.net\r\nmax_age: 1209600\r\n';

describe('the HTTPS listener', () => {
  test('serves the MTA-STS policy of a domain, under the name of its policy host alone', async () => {
    const { status, headers, body } = await secure('mta-sts.example.net', policyPath);
    expect([status, headers['content-type'], body]).toEqual([200, 'text/plain', policy]);
    expect(parsePolicy(body)).toEqual({ mode: 'enforce', mx: ['mx.example.net'], maxAge: 1_209_600 });
    expect((await secure('example.net', policyPath)).status).toBe(404);
    for (const path of ['/mail/config-v1.1.xml', '/healthz', '/metrics'])
      expect((await secure('mta-sts.example.net', path)).status).toBe(404);
  });

  test('answers for names of ours, in any case, and for no others', async () => {
    const serverName = 'mx.example.net';
    for (const host of ['example.org', 'mta-sts.example.org', 'www.example.net'])
      expect((await secure(host, '/healthz', { serverName })).status).toBe(421);
    expect((await secure('MX.Example.NET:443', '/healthz', { serverName })).status).toBe(200);
  });

  test('says nothing of what it runs on, and lets nothing be guessed', async () => {
    for (const path of ['/healthz', '/nothing', '/mail/config-v1.1.xml']) {
      const { headers } = await secure('mx.example.net', path);
      expect(headers).not.toHaveProperty('server');
      expect(headers).not.toHaveProperty('x-powered-by');
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
        'strict-transport-security': expect.stringContaining('max-age='),
      });
    }
    const { headers } = await secure('example.net', '/healthz');
    expect(headers).not.toHaveProperty('strict-transport-security'); // it may be a web site elsewhere
  });

  test('tells how the server is, and to this machine its figures', async () => {
    expect((await secure('mx.example.net', '/healthz')).body).toBe('live\n');
    expect((await secure('mx.example.net', '/readyz')).body).toBe('ready\n');
    const { status, headers, body } = await secure('mx.example.net', '/metrics');
    expect([status, headers['content-type']]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    expect(body).toMatch(/^posthorn_ready 1$/m);
  });
});

describe('settings for mail programs', () => {
  const elements = (root: XmlElement, name: string): XmlElement[] =>
    root.children.flatMap((each) => [...(each.name === name ? [each] : []), ...elements(each, name)]);
  const table = ({ children }: XmlElement) =>
    Object.fromEntries(children.map(({ name, text }) => [name, text]));

  test.each([
    ['autoconfig.example.net', '/mail/config-v1.1.xml'],
    ['example.net', '/.well-known/autoconfig/mail/config-v1.1.xml?emailaddress=ann%40example.net'],
    ['mx.example.net', '/mail/config-v1.1.xml?emailaddress=nobody%40example.net'],
  ])('autoconfig at %s%s says what listens here', async (host, path) => {
    const { status, body } = await secure(host, path);
    expect(status).toBe(200);
    const root = parseXml(Buffer.from(body));
    const port = (protocol: 'pop3s' | 'submissions') =>
      String(world.servers['example.net'].endpoint(protocol).port);
    expect(elements(root, 'incomingServer').map(table)[0]).toMatchObject({
      hostname: 'mx.example.net',
      port: port('pop3s'),
      socketType: 'SSL',
      username: '%EMAILADDRESS%',
      authentication: 'password-cleartext',
    });
    expect(elements(root, 'outgoingServer').map(table)).toMatchObject([
      { hostname: 'mx.example.net', port: port('submissions'), socketType: 'SSL' },
      { socketType: 'STARTTLS' },
    ]);
  });

  test('autoconfig is for domains of ours', async () => {
    expect((await secure('mx.example.net', '/mail/config-v1.1.xml')).status).toBe(404);
    const path = '/mail/config-v1.1.xml?emailaddress=ann@example.org';
    expect((await secure('autoconfig.example.net', path)).status).toBe(404);
  });

  const question = (address: string) =>
    `<?xml version="1.0"?><Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"><Request><EMailAddress>${address}</EMailAddress><AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>`;
  const discover = (body: string, path = '/autodiscover/autodiscover.xml') =>
    secure('autodiscover.example.net', path, {
      method: 'POST',
      headers: { 'content-type': 'text/xml' },
      body,
    });

  test('Outlook finds them by a POST', async () => {
    for (const path of ['/autodiscover/autodiscover.xml', '/Autodiscover/Autodiscover.xml']) {
      const { status, headers, body } = await discover(question('Ann@Example.net'), path);
      expect([status, headers['content-type']]).toEqual([200, 'text/xml']);
      const [fetching] = elements(parseXml(Buffer.from(body)), 'Protocol')
        .map(table)
        .filter(({ Type }) => Type === 'POP3');
      expect(fetching).toMatchObject({
        Server: 'mx.example.net',
        LoginName: reader,
        Encryption: 'SSL',
        SPA: 'off',
      });
    }
  });

  test('Outlook is told what is wrong with a question', async () => {
    const code = async (body: string) => /<ErrorCode>(\d+)</.exec((await discover(body)).body)?.[1];
    expect(await code(question('ann@example.org'))).toBe('601');
    expect(await code(question('ann'))).toBe('600');
    expect(await code('no XML')).toBe('600');
    expect(
      await code(
        question('&xxe;').replace('?>', '?><!DOCTYPE a [<!ENTITY xxe SYSTEM "file:///etc/passwd">]>'),
      ),
    ).toBe('600');
    expect((await discover(question('a'.repeat(20_000)))).status).toBe(413);
  });

  test('Apple gets a profile', async () => {
    const { status, headers, body } = await secure('example.net', '/mobileconfig?address=Ann@example.net');
    expect([status, headers['content-type']]).toEqual([200, 'application/x-apple-aspen-config']);
    expect(body).toContain('<key>IncomingMailServerHostName</key><string>mx.example.net</string>');
    expect(body).toContain(`<key>EmailAddress</key><string>${reader}</string>`);
    expect((await secure('example.net', '/mobileconfig')).status).toBe(400);
    expect((await secure('example.net', '/mobileconfig?address=ann@example.org')).status).toBe(404);
    expect(
      (await secure('example.net', '/mobileconfig?address=a@example.net&address=b@example.net')).status,
    ).toBe(400);
  });
});

describe('port 80', () => {
  test('leads to HTTPS, whatever is asked of our names', async () => {
    const { status, headers } = await plain('mta-sts.example.net', `${policyPath}?a=b`);
    expect([status, headers.location]).toEqual([
      301,
      `https://mta-sts.example.net:${ports.https}${policyPath}?a=b`,
    ]);
    const posted = await plain('example.net:80', '/autodiscover/autodiscover.xml', {
      method: 'POST',
      body: 'x',
    });
    expect([posted.status, posted.headers.location]).toEqual([
      308,
      `https://example.net:${ports.https}/autodiscover/autodiscover.xml`,
    ]);
  });

  test('leads nobody elsewhere', async () => {
    expect((await plain('example.org', '/')).status).toBe(421);
    expect((await plain('example.net', '//example.org/')).headers.location).toBe(
      `https://example.net:${ports.https}//example.org/`,
    );
  });

  test('believes nobody who says to be a proxy', async () => {
    const headers = {
      'x-forwarded-proto': 'https',
      'x-forwarded-for': '192.0.2.1',
      'x-forwarded-host': 'example.org',
    };
    expect((await plain('mta-sts.example.net', policyPath, { headers })).status).toBe(301);
  });

  test('shows a monitor of this machine how the server is', async () => {
    expect((await plain('127.0.0.1', '/readyz')).status).toBe(200);
    expect((await plain('localhost:9', '/metrics')).status).toBe(200);
    expect((await plain('rebound.example.org', '/metrics')).status).toBe(421);
  });
});

describe('behind another web server', () => {
  const client = { 'x-forwarded-for': '192.0.2.7', 'x-forwarded-proto': 'https' };

  test('serves what HTTPS does', async () => {
    const { status, body } = await proxied('mta-sts.example.net', policyPath, client);
    expect([status, body]).toEqual([200, policy]);
    expect(
      (await proxied('x.internal', policyPath, { ...client, 'x-forwarded-host': 'mta-sts.example.net' }))
        .body,
    ).toBe(policy);
  });

  test('leads to HTTPS who came to it without', async () => {
    const { status, headers } = await proxied('mta-sts.example.net', policyPath, {
      ...client,
      'x-forwarded-proto': 'http',
    });
    expect([status, headers.location]).toEqual([301, `https://mta-sts.example.net${policyPath}`]);
  });

  test('shows its figures to no client that the other speaks for, nor to one that it does not name', async () => {
    const status = async (headers: Record<string, string>) =>
      (await proxied('mx.example.net', '/metrics', headers)).status;
    expect(await status({})).toBe(403);
    expect(await status(client)).toBe(403);
    expect(await status({ 'x-forwarded-for': '127.0.0.1, 192.0.2.7' })).toBe(403); // the client's own invention
    expect(await status({ 'x-forwarded-for': '127.0.0.1' })).toBe(200);
  });
});

test('behind a proxy that passes connections on, a request may come with its PROXY header, and after it', async () => {
  await using client = await LineConnection.open({ address: '127.0.0.1', port: ports.headed });
  const ask = 'GET /metrics HTTP/1.1\r\nHost: mx.example.net\r\n\r\n';
  client.write(`PROXY TCP4 203.0.113.9 192.0.2.25 40000 80\r\n${ask}`);
  expect(await client.line()).toBe('HTTP/1.1 403 Forbidden'); // it is not this machine that asks
  while ((await client.line()) !== '');
  await client.line();
  expect(await client.ask(`${ask.trimEnd()}\r\n`)).toBe('HTTP/1.1 403 Forbidden');
});

test('a sender holds us to the policy that we serve, once the record says that there is one', async () => {
  const { 'example.com': com, 'example.net': net } = world.servers;
  const [domain] = net.config.domains;
  const record = domain && policyRecord(stsPolicyOf(net.config, domain));
  world.dns.change({ '_mta-sts.example.net': { TXT: [record ?? ''] } });
  const { queueId = '' } = await com.submit({ from: sender, to: reader });
  expect(await com.settled(queueId)).toMatchObject([{ state: 'delivered' }]);
  const { data } = await com.event(queueId, 'attempted');
  expect(data.policy).toMatchObject({ kind: 'sts' });

  // The same machine under a name that the policy does not know.
  world.dns.change({
    'example.net': { MX: [[10, 'other.example.net']] },
    'other.example.net': { A: ['127.0.0.1'] },
  });
  const { queueId: second = '' } = await com.submit({ from: sender, to: reader });
  expect(await com.settled(second)).toMatchObject([{ state: 'deferred' }]);
});

test('at the port for a web server in front nobody else is heard', async () => {
  const net = world.servers['example.net'];
  const ask = () => proxied('mta-sts.example.net', policyPath, { 'x-forwarded-proto': 'https' });
  expect((await ask()).status).toBe(200);
  await net.reload((toml) => {
    toml.web = { proxies: ['192.0.2.0/24'] };
  });
  expect(await ask()).toMatchObject({ status: 403, body: expect.stringContaining('[web] proxies') });
  await net.reload((toml) => void delete toml.web);
  expect((await ask()).status).toBe(200);
});

test('what becomes of messages is counted, once it is on disk', async () => {
  const figure = async (line: string) => {
    const { body } = await secure('mx.example.net', '/metrics');
    const found = body.split('\n').find((each) => each.startsWith(`${line} `));
    return Number(found?.slice(line.length + 1) ?? 0);
  };
  const lines = [
    'posthorn_messages_accepted_total{via="smtp"}',
    'posthorn_delivery_attempts_total{site="local",outcome="delivered",status="2.0"}',
    'posthorn_authentication_results_total{method="dkim",result="none"}',
    'posthorn_commit_seconds_count',
  ];
  const before = await Promise.all(lines.map(figure));
  const net = world.servers['example.net'];
  const { queueId = '' } = await net.receive({
    from: 'a@b.example',
    to: reader,
    content: 'Subject: x\r\n\r\nx\r\n',
  });
  await net.settled(queueId);
  const after = await Promise.all(lines.map(figure));
  // A letter of the test before may still have been on its way.
  for (const [index, value] of after.entries())
    expect(value, lines[index]).toBeGreaterThan(before[index] ?? 0);
});

test('a reload changes what is served, for those too who keep a connection', async () => {
  const net = world.servers['example.net'];
  const agent = new Agent({ keepAlive: true });
  const ask = async () => {
    const headers = { host: 'mta-sts.example.net', 'x-forwarded-proto': 'https' };
    const asking = request({ host: '127.0.0.1', port: ports.proxied, path: policyPath, headers, agent });
    asking.end();
    const [answer]: IncomingMessage[] = await once(asking, 'response');
    let text = '';
    for await (const chunk of answer ?? []) text += chunk;
    return text;
  };
  expect(await ask()).toContain('mode: enforce');
  await net.reload((toml) => {
    toml.domain = [{ name: 'example.net', mtaSts: { mode: 'none' } }];
  });
  expect(await ask()).toContain('mode: none');
  agent.destroy();
});

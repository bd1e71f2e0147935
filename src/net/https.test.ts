import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { testAuthority } from '../testing/certificates.ts';
import { eventually } from '../testing/eventually.ts';
import { fakeClock } from '../testing/fake-clock.ts';
import { type HttpsHost, startHttpsHost } from '../testing/https-host.ts';
import { scriptedResolver } from '../testing/scripted-resolver.ts';
import { systemClock } from '../util/clock.ts';
import { connectTimeoutMs, type HttpsParts, type HttpsRequest, httpsClient } from './https.ts';

const authority = testAuthority();
const resolver = scriptedResolver(
  {
    'good.example': { A: ['127.0.0.1'], AAAA: ['::1'] },
    'other.example': { A: ['127.0.0.1'] },
    'inside.example': { A: ['127.0.0.1', '10.0.0.1'] },
  },
  { failures: { 'broken.example': 'servfail' } },
);
const trusting = { resolver, clock: systemClock, authorities: [authority.cert], allowPrivateAddresses: true };
const client = (parts: Partial<HttpsParts> = {}) => httpsClient({ ...trusting, ...parts });

const get = (url: string, more: Partial<HttpsRequest> = {}): HttpsRequest => ({
  url: new URL(url),
  method: 'GET',
  maxBytes: 1000,
  timeoutMs: 60_000,
  onBadCertificate: 'refuse',
  ...more,
});

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each[Symbol.asyncDispose]();
});

async function hostWith(names: string[], answer?: HttpsHost['answer']): Promise<HttpsHost> {
  const host = await startHttpsHost(authority.issue(names));
  open.push(host);
  if (answer) host.answer = answer;
  return host;
}

/** Takes connections, and does with them what the test wants. */
async function bareHost(serve: Parameters<typeof createServer>[1]): Promise<number> {
  const server = createServer(serve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push({ [Symbol.asyncDispose]: async () => void server.close() });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

const counted = (list: readonly unknown[], count: number) =>
  eventually(async () => list.length === count || undefined, {
    explain: () => `${list.length} came, not ${count}`,
  });

test('httpsClient() asks by the URL, says who it wants, and gives back what came', async () => {
  const { port, requests } = await hostWith(['good.example'], (response) => {
    response.writeHead(201, { 'content-type': 'text/plain' }).end('thanks');
  });
  const url = `https://good.example:${port}/reports?a=b#part`;
  const answer = await client()(
    get(url, { method: 'POST', body: Buffer.from('a report'), headers: { 'content-type': 'x/y' } }),
  );
  expect(answer).toMatchObject({ status: 201, body: Buffer.from('thanks'), certificate: 'verified' });
  expect(requests).toMatchObject([
    {
      method: 'POST',
      url: '/reports?a=b',
      headers: { host: `good.example:${port}`, 'content-type': 'x/y', 'content-length': '8' },
      body: Buffer.from('a report'),
    },
  ]);
});

test('httpsClient() refuses a certificate for another name before it asks, or tells of it', async () => {
  const { port, requests } = await hostWith(['good.example']);
  const url = `https://other.example:${port}/`;
  expect(await client()(get(url))).toEqual({
    kind: 'certificate',
    problem: 'the certificate of other.example: it is for another name',
  });
  expect(requests).toHaveLength(0);
  const told = await client()(get(url, { onBadCertificate: 'tell' }));
  expect(told).toMatchObject({ status: 200, certificate: 'it is for another name' });
});

test('httpsClient() believes only authorities that it knows', async () => {
  const { port } = await hostWith(['good.example']);
  const answer = await client({ authorities: [] })(get(`https://good.example:${port}/`));
  expect(answer).toMatchObject({ kind: 'certificate', problem: expect.stringContaining('unable to') });
});

test('httpsClient() asks nobody at an address that is not public unless that is allowed', async () => {
  const { port, requests } = await hostWith(['inside.example', '127.0.0.1']);
  const ask = client({ allowPrivateAddresses: false });
  expect(await ask(get(`https://inside.example:${port}/`))).toEqual({
    kind: 'address',
    problem: 'inside.example has no public address, only 127.0.0.1, 10.0.0.1',
  });
  expect(await ask(get(`https://127.0.0.1:${port}/`))).toMatchObject({ kind: 'address' });
  expect(await ask(get(`https://[::ffff:127.0.0.1]:${port}/`))).toMatchObject({ kind: 'address' });
  expect(requests).toHaveLength(0);
  expect(await client()(get(`https://127.0.0.1:${port}/`))).toMatchObject({ certificate: 'verified' });
});

test('httpsClient() tells a name without an address from one that is not known now', async () => {
  expect(await client()(get('https://nowhere.example/'))).toMatchObject({
    kind: 'dns',
    problem: 'nowhere.example has no address',
  });
  expect(await client()(get('https://broken.example/'))).toMatchObject({
    kind: 'dns',
    problem: expect.stringContaining('SERVFAIL'),
  });
});

test('httpsClient() logs nobody in, and speaks nothing but HTTPS', async () => {
  for (const url of ['http://good.example/', 'https://user:secret@good.example/', 'ftp://good.example/'])
    expect(await client()(get(url))).toMatchObject({ kind: 'url' });
});

test('httpsClient() ends an answer that is too long', async () => {
  const { port } = await hostWith(['good.example'], (response) => {
    const more = () => response.write('x'.repeat(500));
    response.on('drain', more);
    for (let i = 0; i < 3; i += 1) more();
  });
  const answer = await client()(get(`https://good.example:${port}/`));
  expect(answer).toEqual({ kind: 'size', problem: 'the answer has more than 1000 octets' });
});

test('httpsClient() follows no redirection', async () => {
  const { port, requests } = await hostWith(['good.example'], (response) => {
    response.writeHead(302, { location: '/elsewhere' }).end();
  });
  expect(await client()(get(`https://good.example:${port}/`))).toMatchObject({ status: 302 });
  expect(requests).toHaveLength(1);
});

test('httpsClient() waits for an answer as long as it was told', async () => {
  const clock = fakeClock();
  const { port, requests } = await hostWith(['good.example'], (response) => void response.write('begun'));
  const answer = client({ clock })(get(`https://good.example:${port}/`));
  await counted(requests, 1);
  clock.advance(60_000);
  expect(await answer).toEqual({ kind: 'timeout', problem: 'not done within 60 s' });
});

test('httpsClient() waits for a handshake for a while, and ends at once with its signal', async () => {
  const clock = fakeClock();
  const taken: string[] = [];
  const port = await bareHost((socket) => void taken.push(String(socket.remoteAddress)));
  const late = client({ clock })(get(`https://other.example:${port}/`));
  await counted(taken, 1);
  clock.advance(connectTimeoutMs);
  expect(await late).toEqual({ kind: 'tls', problem: `127.0.0.1 port ${port}: no TLS within 10 s` });

  const controller = new AbortController();
  const stopped = client({ clock })(get(`https://other.example:${port}/`, { signal: controller.signal }));
  await counted(taken, 2);
  controller.abort(new Error('the server stops'));
  await expect(stopped).rejects.toThrow('the server stops');
  expect(clock.planned).toEqual([]);
});

test.each([
  ['nobody who listens', undefined, 'connect'],
  ['no TLS', '220 mx.example.com ESMTP\r\n', 'tls'],
])('httpsClient() finds %s', async (_, greeting, kind) => {
  const port =
    greeting === undefined ? 1 : await bareHost((socket) => void socket.end(greeting).on('error', () => {}));
  expect(await client()(get(`https://other.example:${port}/`))).toMatchObject({ kind });
});

test.each([
  ['no HTTP', 'hello\r\n\r\n', 'protocol'],
  ['a header without end', `HTTP/1.1 200 OK\r\n${'X-A: b\r\n'.repeat(5000)}`, 'protocol'],
  ['a body that breaks off', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc', 'protocol'],
  ['another protocol', 'HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n', 'protocol'],
])('httpsClient() makes a failure of %s', async (_, bytes, kind) => {
  const { port } = await hostWith(['good.example'], (response) => void response.socket?.end(bytes));
  expect(await client()(get(`https://good.example:${port}/`))).toMatchObject({ kind });
});

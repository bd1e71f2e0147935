import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { maxPolicyBytes } from '../mta-sts/policy.ts';
import { testAuthority } from '../testing/certificates.ts';
import { type HttpsHost, startHttpsHost } from '../testing/https-host.ts';
import { scriptedResolver } from '../testing/scripted-resolver.ts';
import { systemClock } from '../util/clock.ts';
import { fetchPolicy } from './fetch-policy.ts';
import { httpsClient } from './https.ts';

const text = 'version: STSv1\r\nmode: enforce\r\nmx: mx.example.com\r\nmax_age: 86400\r\n';
const authority = testAuthority();
const loopback = { A: ['127.0.0.1'] };
const https = httpsClient({
  resolver: scriptedResolver({ 'mta-sts.example.com': loopback, 'mta-sts.example.org': loopback }),
  clock: systemClock,
  authorities: [authority.cert],
  allowPrivateAddresses: true,
});

let host: HttpsHost;
beforeAll(async () => {
  host = await startHttpsHost(authority.issue(['mta-sts.example.com']));
});
afterAll(() => host[Symbol.asyncDispose]());

const serve = (write: (response: ServerResponse) => void, domain = 'example.com') => {
  host.answer = write;
  return fetchPolicy(https, domain, { port: host.port });
};
const serveText = (body: string | Buffer, type = 'text/plain') =>
  serve((response) => void response.writeHead(200, { 'content-type': type }).end(body));

test('fetchPolicy() gets a policy from its place', async () => {
  expect(await serveText(text, 'text/plain; charset=utf-8')).toEqual({
    text,
    policy: { mode: 'enforce', mx: ['mx.example.com'], maxAge: 86_400 },
  });
  expect(host.requests.at(-1)).toMatchObject({ method: 'GET', url: '/.well-known/mta-sts.txt' });
});

test.each([
  ['HTML', text, 'text/html'],
  ['no type', text, ''],
  ['text of another kind', text, 'text/plainly'],
  ['what is no policy', 'hello', 'text/plain'],
  ['what is too long', Buffer.alloc(maxPolicyBytes + 1, 'x'), 'text/plain'],
])('fetchPolicy() takes %s for an invalid policy', async (_, body, type) => {
  expect(await serveText(body, type)).toMatchObject({ type: 'sts-policy-invalid' });
});

test.each([204, 301, 304, 404, 500])('fetchPolicy() takes status %d for no policy', async (status) => {
  const fetched = await serve((response) => void response.writeHead(status, { location: '/' }).end());
  expect(fetched).toEqual({
    problem: `https://mta-sts.example.com:${host.port}/.well-known/mta-sts.txt answers ${status}`,
    type: 'sts-policy-fetch-error',
  });
});

test('fetchPolicy() believes nobody whose certificate is for another name', async () => {
  expect(await serve((response) => void response.end(text), 'example.org')).toMatchObject({
    type: 'sts-webpki-invalid',
    problem: expect.stringContaining('another name'),
  });
});

test.each(['nowhere.example', 'example.1'])(
  'fetchPolicy() gets nothing where there is no host: %s',
  async (domain) => {
    expect(await serve((response) => void response.end(), domain)).toMatchObject({
      type: 'sts-policy-fetch-error',
    });
  },
);

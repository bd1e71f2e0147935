import { expect, test } from 'vitest';
import { scriptedResolver } from './scripted-resolver.ts';

const data = {
  'example.com': { MX: [[10, 'mx.example.com']] },
  'mx.example.com': { A: ['192.0.2.1'] },
} as const;

test('scriptedResolver() answers from plain data as a server would, and remembers the questions', async () => {
  const resolver = scriptedResolver(data);
  expect(await resolver.resolve('Example.com.', 'MX')).toEqual({
    status: 'found',
    records: [{ preference: 10, exchange: 'mx.example.com' }],
    ttl: 300,
    authentic: false,
  });
  expect(await resolver.resolve('example.com', 'TXT')).toMatchObject({
    status: 'none',
    reason: 'nodata',
    ttl: 300,
  });
  expect(await resolver.resolve('example.net', 'TXT')).toMatchObject({ status: 'none', reason: 'nxdomain' });
  expect(await resolver.resolve('a..b', 'A')).toMatchObject({ status: 'none', reason: 'nxdomain' });
  expect(resolver.questions.map(({ name, type }) => `${name} ${type}`)).toEqual([
    'example.com MX',
    'example.com TXT',
    'example.net TXT',
    'a..b A',
  ]);
});

test('scriptedResolver() fails by name, or by name and type, as scripted', async () => {
  const resolver = scriptedResolver(data, {
    failures: { 'example.com MX': 'servfail', 'mx.example.com': 'timeout' },
  });
  expect(await resolver.resolve('example.com', 'MX')).toMatchObject({ detail: 'SERVFAIL (scripted)' });
  expect(await resolver.resolve('example.com', 'A')).toMatchObject({ status: 'none' });
  expect(await resolver.resolve('mx.example.com', 'A')).toMatchObject({
    detail: 'no reply in time (scripted)',
  });
});

test('scriptedResolver() calls authentic what the script says, with all below it', async () => {
  const resolver = scriptedResolver(data, { authentic: ['mx.example.com'] });
  expect(await resolver.resolve('mx.example.com', 'A')).toMatchObject({ authentic: true });
  expect(await resolver.resolve('_25._tcp.mx.example.com', 'TLSA')).toMatchObject({
    status: 'none',
    authentic: true,
  });
  expect(await resolver.resolve('example.com', 'MX')).toMatchObject({ authentic: false });
});

test('scriptedResolver() can be rewritten, and then heals', async () => {
  const resolver = scriptedResolver(data, { failures: { 'example.com': 'servfail' } });
  expect(await resolver.resolve('example.com', 'MX')).toMatchObject({ status: 'failed' });
  resolver.rewrite(data);
  expect(await resolver.resolve('example.com', 'MX')).toMatchObject({ status: 'found' });
});

test('scriptedResolver() honours an aborted signal', async () => {
  const signal = AbortSignal.abort(new Error('gone'));
  await expect(scriptedResolver(data).resolve('example.com', 'MX', signal)).rejects.toThrow('gone');
});

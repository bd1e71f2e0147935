import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommand } from '../testing/command-line.ts';
import { startWorld, type World } from '../testing/world.ts';

let world: World<'example.com' | 'example.net'>;
let directory: string;
beforeAll(async () => {
  world = await startWorld({
    servers: {
      'example.com': {
        accounts: { 'sender@example.com': 'secret' },
        settings: { source: [{ address: '127.0.0.1' }] },
      },
      'example.net': { accounts: { 'recipient@example.net': 'secret' } },
    },
  });
  directory = join(world.directory, 'example.com');
  await writeFile(
    join(directory, 'letter.eml'),
    'From: sender@example.com\nTo: recipient@example.net\nSubject: Hello\nSubject: Again\n\nHi\n',
  );
});
afterAll(() => world[Symbol.asyncDispose]());

async function preflight(...args: string[]) {
  const { exitCode, out, err } = await runCommand(
    ['preflight', 'letter.eml', '--to', 'recipient@example.net', '--json', ...args],
    { cwd: directory },
  );
  expect(err).toBe('');
  const { findings } = JSON.parse(out) as { findings: { id: string; severity: string; fact: string }[] };
  return { exitCode, findings, of: (id: string) => findings.find((finding) => finding.id === id) };
}

test('a preflight tells what the receiver will find, and begins no transaction there', async () => {
  const { exitCode, of } = await preflight();
  expect(exitCode).toBe(1);
  expect(of('field-repeated')?.severity).toBe('error');
  expect(of('route-found')?.fact).toContain('MX example.net: 10 mx.example.net');
  expect(of('tls-found')?.fact).toMatch(/TLSv1\.3, certificate: verified/);
  expect(of('size-fits')?.fact).toMatch(/the receiver takes \d+/);
  for (const id of ['dkim-pass', 'spf-pass', 'dmarc-pass']) expect(of(id)?.severity).toBe('good');
  expect(await world.servers['example.net'].files('recipient@example.net')).toEqual([]);
});

test('P12: a preflight finds what has become wrong in DNS since', async () => {
  world.dns.change({ 'example.com': { TXT: ['v=spf1 -all'], MX: [[10, 'mx.example.com']] } });
  const { of } = await preflight();
  expect(of('spf-fail')).toMatchObject({ severity: 'error', fact: expect.stringContaining('127.0.0.1') });
  expect(of('dmarc-pass')?.fact).toContain('DKIM aligned');
});

test('a preflight to a domain of ours says that the message stays here, whatever DNS says of it', async () => {
  world.dns.change({ 'example.com': { TXT: ['v=spf1 mx -all'] } });
  const { findings, of } = await preflight('--to', 'sender@example.com');
  expect(of('route-here')?.fact).toMatch(/^example\.com is a domain of this server/);
  expect(findings.filter(({ id }) => /^(route|tls|size)-/.test(id)).map(({ id }) => id)).toEqual([
    'route-here',
  ]);
});

test('a preflight needs no server of ours, and says what only one could have told', async () => {
  await world.servers['example.com'].stop();
  const { of } = await preflight('--from', 'other@example.com');
  expect(of('dkim-pass')?.severity).toBe('good');
  await world.servers['example.com'].start();
});

test.each([
  [['nowhere.eml', '--to', 'a@example.net'], 66],
  [['letter.eml', '--to', 'nobody'], 64],
  [['letter.eml'], 64],
])('a preflight of %j ends with %i', async (args, exitCode) => {
  expect((await runCommand(['preflight', ...args], { cwd: directory })).exitCode).toBe(exitCode);
});

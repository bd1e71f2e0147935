import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { defaultCheckLimits } from '../delivery/check/address-checker.ts';
import { runCommand } from '../testing/command-line.ts';
import { startWorld, type World } from '../testing/world.ts';

let world: World<'example.com' | 'example.net'>;
beforeAll(async () => {
  world = await startWorld({
    servers: {
      'example.com': { accounts: { 'sender@example.com': 'secret' } },
      'example.net': { accounts: { 'recipient@example.net': 'secret' } },
    },
  });
});
afterAll(() => world[Symbol.asyncDispose]());

/** As a shell on the machine of example.com runs it. */
const posthorn = (...args: string[]) => runCommand(args, { cwd: join(world.directory, 'example.com') });

test('M11: a check of an address asks its own server, and shows how', async () => {
  const known = await posthorn('check', 'recipient@example.net', '--dialogue');
  expect(known).toMatchObject({ exitCode: 0, err: '' });
  expect(known.out).toMatch(/^recipient@example\.net: deliverable\n/);
  expect(known.out).toContain('MX example.net: 10 mx.example.net');
  expect(known.out).toContain('C: RCPT TO:<recipient@example.net>');
  expect(known.out).not.toContain('C: DATA');
  const unknown = await posthorn('check', 'nobody@example.net');
  expect(unknown).toMatchObject({ exitCode: 1 });
  expect(unknown.out).toContain('550 5.1.1');
  expect(await world.servers['example.net'].files('recipient@example.net')).toEqual([]);
});

test('M11: a check of one of our own addresses knows the accounts of now', async () => {
  expect(await posthorn('check', 'sender@example.com')).toMatchObject({ exitCode: 0 });
  expect(await posthorn('check', 'late@example.com')).toMatchObject({ exitCode: 1 });
  await world.servers['example.com'].addAccount('late@example.com', 'secret');
  expect(await posthorn('check', 'late@example.com')).toMatchObject({ exitCode: 0 });
});

test('M11: a running server asks a domain only so often, and answers from memory beyond that', async () => {
  const address = (number: number) => `x${number}@nowhere.example`;
  const { perDomainAndHour } = defaultCheckLimits;
  for (let number = 0; number < perDomainAndHour; number++)
    expect(await posthorn('check', address(number))).toMatchObject({ exitCode: 1 });
  expect(await posthorn('check', address(perDomainAndHour))).toMatchObject({
    exitCode: 75,
    out: '',
    err: expect.stringMatching(/30 addresses of nowhere\.example .* Ask again in \d+ min\./),
  });
  expect(await posthorn('check', address(0))).toMatchObject({ exitCode: 1 });
});

test('M11: a check needs no server, but knows no accounts then', async () => {
  await world.servers['example.com'].stop();
  const found = await posthorn('check', 'recipient@example.net', '--json');
  expect(JSON.parse(found.out)).toMatchObject({ verdict: 'deliverable', steps: { length: 6 } });
  expect(await posthorn('check', 'sender@example.com')).toMatchObject({ exitCode: 2 });
  await world.servers['example.com'].start();
});

import { expect, test } from 'vitest';
import { parseArguments } from './arguments.ts';

const parsed = { mode: 'deliver', recipients: [], fromHeader: false, ignoreDots: false, verbose: false };

test.each([
  // cron, PHP, git, mailx, mutt, procmail, and what manuals show.
  [
    '-FCronDaemon -i -B8BITMIME -oem root',
    { fullName: 'CronDaemon', ignoreDots: true, recipients: ['root'] },
  ],
  ['-t -i', { fromHeader: true, ignoreDots: true }],
  ['-ti', { fromHeader: true, ignoreDots: true }],
  ['-t -i -fwww@example.com', { fromHeader: true, ignoreDots: true, from: 'www@example.com' }],
  [
    '-i -f me@example.com a@example.org b@example.org',
    { ignoreDots: true, from: 'me@example.com', recipients: ['a@example.org', 'b@example.org'] },
  ],
  [
    '-oem -oi -f me@example.com -- -odd@example.org',
    { ignoreDots: true, from: 'me@example.com', recipients: ['-odd@example.org'] },
  ],
  [
    '-r me@example.com -N success,failure -R hdrs -V id -O DeliveryMode=b -bm -v x',
    { from: 'me@example.com', verbose: true, recipients: ['x'] },
  ],
  ['-o i -o db x', { ignoreDots: true, recipients: ['x'] }],
  ['-em x', { recipients: ['x'] }],
  ['-f <> x', { from: '<>', recipients: ['x'] }],
  ['-C /etc/other.toml x', { config: '/etc/other.toml', recipients: ['x'] }],
  ['-bp', { mode: 'queue' }],
  ['-bi', { mode: 'aliases' }],
  ['-q15m', { mode: 'nothing' }],
])('parseArguments(%s)', (words, expected) => {
  expect(parseArguments(words.split(' '))).toEqual({ ...parsed, ...expected });
});

test.each([
  ['-Z x', 'There is no option -Z'],
  ['-tZ x', 'There is no option -Z'],
  ['--help', /^There is no option --help\. .* posthorn help sendmail\.$/],
  ['-bs', 'SMTP on standard input is not spoken here'],
  ['-bd', 'posthorn serve'],
  ['-bx', 'There is no mode -bx'],
  ['-f', '-f wants a value'],
])('parseArguments(%s) says what is wrong', (words, expected) => {
  expect(() => parseArguments(words.split(' '))).toThrow(expected);
});

test('parseArguments() takes as many recipients as a command line holds', () => {
  const startedAt = performance.now();
  expect(parseArguments(['-i', ...Array<string>(200_000).fill('a')]).recipients).toHaveLength(200_000);
  expect(performance.now() - startedAt).toBeLessThan(2000);
});

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCommand } from '../testing/command-line.ts';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'posthorn-quickstart-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

const words = [
  'quickstart',
  'example.com',
  '--user',
  'alice',
  '--prefix',
  'quick',
  '--address',
  '203.0.113.7',
];

test('posthorn quickstart shows a person each step as it begins, and one line when it is done', async () => {
  const { out } = await runCommand(words, { cwd, outIsTty: true });
  for (const step of ['resolver', 'ports', 'DKIM keys', 'account', 'service'])
    expect(out).toMatch(new RegExp(`\\[ ?\\d+/14\\] ${step} *  …\\r\\[ ?\\d+/14\\] ${step} +\\S+ +\\S.*\\n`));
  expect(out).toMatch(/^\[ 1\/14\] configuration {2}…/);
}, 60_000);

test('posthorn quickstart writes no step twice where nobody looks, and says how DMARC goes on', async () => {
  const { out } = await runCommand(words, { cwd });
  expect(out).not.toMatch(/…\r|\r/);
  expect(out).toContain('  TXT    _dmarc ');
  // From p=none to p=reject, with what has to be looked at before.
  const advice = out.slice(out.indexOf('DMARC begins with p=none')).replaceAll('\n', ' ');
  expect(advice).toMatch(
    /^DMARC begins with p=none: .* `posthorn reports dmarc`; .* p=quarantine, and .* p=reject\./,
  );
}, 60_000);

test('posthorn quickstart shows what to add to a configuration, line by line', async () => {
  await runCommand(words, { cwd });
  const file = join(cwd, 'quick/etc/posthorn/posthorn.toml');
  writeFileSync(
    file,
    readFileSync(file, 'utf8').replace(/protocol = "smtp" /, 'protocol = "pop3"\nport = 1110'),
  );
  const { out, exitCode } = await runCommand(words, { cwd });
  expect(exitCode).toBe(1);
  expect(out).toMatch(/\n +→ Add a listener to it, .*\n +\[\[listener\]\]\n +protocol = "smtp"/);
}, 60_000);

test('posthorn quickstart refuses a user of another domain before it makes anything', async () => {
  for (const user of ['alice@example.org', 'a b', '']) {
    const { exitCode, err } = await runCommand(
      ['quickstart', 'example.com', '--user', user, '--prefix', 'q'],
      {
        cwd,
      },
    );
    expect({ exitCode, err }).toMatchObject({ exitCode: 64, err: expect.stringContaining('--user alice') });
  }
  expect(readdirSync(cwd)).toEqual([]);
});

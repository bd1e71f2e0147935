import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { testAuthority } from '../testing/certificates.ts';
import { runCommand } from '../testing/command-line.ts';
import { warningsOfCertificates } from './certificate-warnings.ts';

const authority = testAuthority();
const now = Date.UTC(2026, 6, 1);
const dayMs = 86_400_000;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'posthorn-certificates-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function pairFor(name: string, begins: number, ends: number) {
  const { cert, key } = authority.issue([name], {
    notBefore: now + begins * dayMs,
    notAfter: now + ends * dayMs,
  });
  const files = { cert: join(directory, 'c.pem'), key: join(directory, 'c.key') };
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key, { mode: 0o600 });
  return files;
}

test.each([
  ['mx.example.com', -10, 10, []],
  ['*.example.com', -10, 10, []],
  ['mx.example.com', -10, -1, ['it expired 2026-06-30']],
  ['mx.example.com', 1, 10, ['it is not valid before 2026-07-02']],
  ['example.org', -10, 10, ['it is for example.org, not for mx.example.com']],
  ['example.org', -10, -1, ['it expired 2026-06-30', 'it is for example.org, not for mx.example.com']],
])('warningsOfCertificates(): %s from day %d to %d', async (name, begins, ends, expected) => {
  const tls = pairFor(name, begins, ends);
  const warnings = await warningsOfCertificates({ hostname: 'mx.example.com', tls, certificates: [] }, now);
  expect(warnings).toEqual(expected.map((words) => expect.stringContaining(`c.pem: ${words}`)));
  // One beside our own is for whatever name it has.
  const beside = await warningsOfCertificates(
    { hostname: 'mx.example.com', tls: {}, certificates: [tls] },
    now,
  );
  expect(beside).toEqual(warnings.filter((words) => !words.includes('it is for')));
});

test('posthorn config check warns of a certificate that has expired', async () => {
  pairFor('mx.example.com', -100, -90);
  writeFileSync(
    join(directory, 'posthorn.toml'),
    'hostname = "mx.example.com"\ndataDir = "data"\n[tls]\ncert = "c.pem"\nkey = "c.key"\n[[listener]]\nprotocol = "smtp"\n',
  );
  const { out, exitCode } = await runCommand(['config', 'check'], { cwd: directory });
  expect({ out, exitCode }).toMatchObject({
    exitCode: 0,
    out: expect.stringMatching(/ warning: .*c\.pem: it expired /),
  });
});

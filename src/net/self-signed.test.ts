import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { visitTls } from '../testing/tls-visit.ts';
import { renewDays, selfSignedDays, selfSignedPair } from './self-signed.ts';
import { oneContext, serverContext } from './server-context.ts';

const dayMs = 86_400_000;
const now = Date.now();

async function stage() {
  const directory = await mkdtemp(join(tmpdir(), 'posthorn-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const file = join(directory, 'tls', 'self-signed.pem');
  return { directory, file, pair: (at = now, name = 'mx.example.com') => selfSignedPair(file, name, at) };
}

describe('selfSignedPair()', () => {
  it('makes a certificate that a client can shake hands with, and that it finds signed by itself', async () => {
    const { pair } = await stage();
    const { cert, key, facts } = await pair();
    expect(facts).toMatchObject({ names: ['mx.example.com'], isSelfSigned: true });
    const settings = oneContext(serverContext({ cert, key, audience: 'users' }));
    const trusting = { ca: cert, servername: 'mx.example.com', rejectUnauthorized: true };
    expect(await visitTls(settings, trusting)).toMatchObject({ names: 'DNS:mx.example.com' });
  });

  it('keeps it in a file that only its owner may read, and finds it there', async () => {
    const { file, pair } = await stage();
    const first = await pair();
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await pair()).certificate.fingerprint256).toBe(first.certificate.fingerprint256);
    expect(await readFile(file, 'utf8')).toBe(first.cert + first.key);
  });

  it('makes another with the same key for another name, and towards its end', async () => {
    const { pair } = await stage();
    const first = await pair();
    const renamed = await pair(now, 'mail.example.com');
    expect(renamed.facts.names).toEqual(['mail.example.com']);
    const late = await pair(now + (selfSignedDays - renewDays) * dayMs, 'mail.example.com');
    expect(late.facts.notAfter).toBeGreaterThan(renamed.facts.notAfter);
    expect([renamed, late].map(({ facts }) => facts.spkiSha256)).toEqual(
      Array(2).fill(first.facts.spkiSha256),
    );
  });

  it('makes another where the file is damaged', async () => {
    const { file, pair } = await stage();
    const first = await pair();
    await writeFile(file, first.cert.slice(0, 100));
    expect((await pair()).facts.names).toEqual(['mx.example.com']);
  });

  it('has a subject for a name that is too long for one', async () => {
    const { pair } = await stage();
    const long = `${'a'.repeat(60)}.${'b'.repeat(60)}.example.com`;
    expect((await pair(now, long)).facts.names).toEqual([long]);
  });

  it.skipIf(process.getuid?.() === 0)('says where it may not write', async () => {
    const { directory, pair } = await stage();
    await chmod(directory, 0o500);
    await expect(pair()).rejects.toThrow('EACCES');
    await chmod(directory, 0o700);
  });

  it('says where it cannot write', async () => {
    const { directory, pair } = await stage();
    await writeFile(join(directory, 'tls'), 'a file, where a directory should be');
    await expect(pair()).rejects.toThrow(/EEXIST|ENOTDIR/);
  });
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseConfig } from '../config/load.ts';
import { lookEveryMs } from '../net/certificate-files.ts';
import { testAuthority } from '../testing/certificates.ts';
import { fakeClock } from '../testing/fake-clock.ts';
import { recordingLog } from '../testing/recording-log.ts';
import { visitTls } from '../testing/tls-visit.ts';
import { openCertificates } from './certificates.ts';

const authority = testAuthority();
const dayMs = 86_400_000;

async function stage(toml: string, files: Record<string, string> = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'posthorn-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const replace = async (content: Record<string, string>) => {
    for (const [name, text] of Object.entries(content)) await writeFile(join(directory, name), text);
  };
  await replace(files);
  const text = `hostname = "mx.example.com"\n${toml}`;
  const config = await parseConfig(text, join(directory, 'posthorn.toml'));
  const { log, lines } = recordingLog();
  const stack = new AsyncDisposableStack();
  onTestFinished(() => stack.disposeAsync());
  const clock = fakeClock(Date.now());
  const certificates = await openCertificates({ config, log, clock }, stack);
  const shown = async (servername?: string) =>
    certificates && (await visitTls(certificates.users, servername ? { servername } : {})).names;
  return { certificates, lines, shown, clock, replace };
}

function pairFiles(name: string, names: readonly string[], period = {}): Record<string, string> {
  const { cert, key } = authority.issue(names, period);
  return { [`${name}.pem`]: cert, [`${name}.key`]: key };
}

describe('openCertificates()', () => {
  it('opens none where the configuration wants no TLS', async () => {
    expect((await stage('')).certificates).toBeUndefined();
  });

  it('makes one that is signed by itself where [tls] names none, and warns of it', async () => {
    const { shown, lines } = await stage('[tls]');
    expect(await shown()).toBe('DNS:mx.example.com');
    expect(lines('warn')).toMatchObject([
      { msg: 'certificate: it is signed by itself: mail programs will warn of it' },
    ]);
  });

  it('shows the one of [tls] to who asks for no name, and others by their names', async () => {
    const toml =
      '[tls]\ncert = "own.pem"\nkey = "own.key"\n[[certificate]]\ncert = "other.pem"\nkey = "other.key"';
    const { shown, lines } = await stage(toml, {
      ...pairFiles('own', ['old.example.com']),
      ...pairFiles('other', ['mail.example.org']),
    });
    expect(await shown()).toBe('DNS:old.example.com');
    expect(await shown('mail.example.org')).toBe('DNS:mail.example.org');
    expect(await shown('mx.example.com')).toBe('DNS:old.example.com');
    expect(lines('warn')).toMatchObject([
      { msg: expect.stringMatching('certificate: it is for old.example.com, not for mx.example.com') },
    ]);
  });

  it('warns where what a file is replaced by is for another name, or is over', async () => {
    const { lines, clock, replace, shown } = await stage('[tls]\ncert = "own.pem"\nkey = "own.key"', {
      ...pairFiles('own', ['mx.example.com']),
    });
    const told = () => lines('warn').map(({ msg }) => msg);
    expect(told()).toEqual([]);
    const show = async (files: Record<string, string>, name: string) => {
      await replace(files);
      clock.advance(lookEveryMs);
      await expect.poll(() => shown()).toBe(name);
    };
    await show(pairFiles('own', ['www.example.org']), 'DNS:www.example.org');
    expect(told()).toEqual([expect.stringContaining('is for www.example.org, not for mx.example.com')]);
    const over = { notBefore: Date.now() - 90 * dayMs, notAfter: Date.now() - dayMs };
    await show(pairFiles('own', ['mx.example.com'], over), 'DNS:mx.example.com');
    expect(told().slice(1)).toEqual([expect.stringContaining('it expired')]);
  });

  it('uses a certificate that has expired, and says what comes of it', async () => {
    const period = { notBefore: Date.now() - 90 * dayMs, notAfter: Date.now() - dayMs };
    const { shown, lines } = await stage('[tls]\ncert = "own.pem"\nkey = "own.key"', {
      ...pairFiles('own', ['mx.example.com'], period),
    });
    expect(await shown()).toBe('DNS:mx.example.com');
    expect(lines('warn')).toMatchObject([{ msg: expect.stringContaining('certificate: it expired') }]);
  });

  it('uses a certificate that is not valid yet, and asks about the clock', async () => {
    const period = { notBefore: Date.now() + 3_600_000, notAfter: Date.now() + dayMs };
    const { lines } = await stage('[tls]\ncert = "own.pem"\nkey = "own.key"', {
      ...pairFiles('own', ['mx.example.com'], period),
    });
    expect(lines('warn')).toMatchObject([{ msg: expect.stringContaining('is the clock of this machine') }]);
  });

  it('tells each day of a certificate that nobody renews', async () => {
    const period = { notAfter: Date.now() + 15.5 * dayMs };
    const files = pairFiles('own', ['mx.example.com'], period);
    const { lines, clock } = await stage('[tls]\ncert = "own.pem"\nkey = "own.key"', files);
    clock.advance(dayMs);
    expect(lines('warn')).toEqual([]);
    clock.advance(2 * dayMs);
    expect(lines('warn').map(({ msg }) => msg)).toEqual([
      'certificate: it ends in 13 days, and no other has come',
      'certificate: it ends in 12 days, and no other has come',
    ]);
    clock.advance(13 * dayMs);
    expect(lines('warn').at(-1)?.msg).toContain('certificate: it expired');
  });

  it('makes its own anew before it ends', async () => {
    const { certificates, clock } = await stage('[tls]');
    const changed = new Promise<void>((resolve) => certificates?.onChange(resolve));
    const [before] = certificates?.known() ?? [];
    clock.advance(335 * dayMs); // one look finds that thirty days are left
    await changed;
    const [after] = certificates?.known() ?? [];
    expect(after?.notAfter).toBeGreaterThan(before?.notAfter ?? Infinity);
    expect(after?.spkiSha256).toBe(before?.spkiSha256);
  });

  it.each([
    ['[tls]\ncert = "own.pem"', 'tls.cert: there is a certificate without its key'],
    ['[tls]\nkey = "own.key"', 'tls.key: there is a key without its certificate'],
    ['[[certificate]]\ncert = "own.pem"\nkey = "other.key"', 'certificate[1].key: the private key in'],
    ['[[certificate]]\ncert = "own.pem"', 'certificate[1].cert: there is a certificate without its key'],
    ['[[certificate]]\ncert = "gone.pem"\nkey = "own.key"', 'certificate[1].cert: there is no file'],
  ])('is not reached with %s', async (toml, problem) => {
    const files = { ...pairFiles('own', ['a.example']), ...pairFiles('other', ['b.example']) };
    await expect(stage(toml, files)).rejects.toThrow(problem);
  });
});

import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { testAuthority } from '../testing/certificates.ts';
import { fakeClock } from '../testing/fake-clock.ts';
import { recordingLog } from '../testing/recording-log.ts';
import { CertificateFiles, lookEveryMs } from './certificate-files.ts';
import { Certificates } from './tls-context.ts';

const authority = testAuthority();

async function stage() {
  const directory = await mkdtemp(join(tmpdir(), 'posthorn-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const certificates = new Certificates('mx.example.com');
  const { log, lines } = recordingLog();
  const clock = fakeClock();
  const files = new CertificateFiles({ certificates, log, clock });
  const pair = { cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') };
  const write = async (content: { cert?: string; key?: string }) => {
    if (content.cert !== undefined) await writeFile(pair.cert, content.cert);
    if (content.key !== undefined) await writeFile(pair.key, content.key);
  };
  const shown = () => certificates.known().map(({ names }) => names.join());
  return { directory, certificates, files, pair, write, shown, lines, clock };
}

describe('CertificateFiles', () => {
  it('show what is in the files, and what they are replaced by', async () => {
    const { files, pair, write, shown } = await stage();
    await write(authority.issue(['one.example']));
    await files.use([pair]);
    expect(shown()).toEqual(['one.example']);
    await files.look();
    expect(shown()).toEqual(['one.example']);
    await write(authority.issue(['two.example']));
    await files.look();
    expect(shown()).toEqual(['two.example']);
  });

  it('keep the old pair while the new one is half written, and say so once', async () => {
    const { files, pair, write, shown, lines } = await stage();
    await write(authority.issue(['one.example']));
    await files.use([pair]);
    const { cert, key } = authority.issue(['two.example']);
    await write({ cert: cert.slice(0, 300) });
    await files.look();
    await write({ cert });
    await files.look();
    await files.look();
    expect(shown()).toEqual(['one.example']);
    expect(lines('warn').map(({ error }) => error)).toEqual([
      expect.stringContaining('the certificate is no PEM'),
      expect.stringContaining('the private key does not belong to the certificate'),
    ]);
    await write({ key });
    await files.look();
    expect(shown()).toEqual(['two.example']);
  });

  it('tell what keeps a pair from being used, for as long as it does', async () => {
    const { certificates, directory, files, pair, write } = await stage();
    const trouble = () => certificates.known()[0]?.trouble;
    await write(authority.issue(['one.example']));
    await files.use([pair]);
    expect(trouble()).toBeUndefined();
    const aside = join(directory, 'aside.pem');
    await rename(pair.key, aside);
    await files.look();
    expect(trouble()).toContain('ENOENT');
    await rename(aside, pair.key); // the same file as before
    await files.look();
    expect(trouble()).toBeUndefined();
    await write({ key: authority.issue(['two.example']).key });
    await files.look();
    expect(trouble()).toContain('does not belong to the certificate');
    await write(authority.issue(['three.example']));
    await files.look();
    expect(trouble()).toBeUndefined();
  });

  it('keep the old pair while a file is gone', async () => {
    const { files, pair, write, shown, lines } = await stage();
    await write(authority.issue(['one.example']));
    await files.use([pair]);
    await rm(pair.key);
    await files.look();
    expect(shown()).toEqual(['one.example']);
    expect(lines('warn')).toMatchObject([{ error: expect.stringContaining('ENOENT') }]);
  });

  it('follow the links that certbot turns to other files', async () => {
    const { directory, files, shown } = await stage();
    const live = join(directory, 'live');
    await mkdir(live);
    const archive = async (number: number, name: string) => {
      const { cert, key } = authority.issue([name]);
      await writeFile(join(directory, `cert${number}.pem`), cert);
      await writeFile(join(directory, `key${number}.pem`), key);
      for (const file of ['cert', 'key']) {
        await symlink(`../${file}${number}.pem`, join(live, 'next'));
        await rename(join(live, 'next'), join(live, `${file}.pem`));
      }
    };
    await archive(1, 'one.example');
    await files.use([{ cert: join(live, 'cert.pem'), key: join(live, 'key.pem') }]);
    await archive(2, 'two.example');
    await files.look();
    expect(shown()).toEqual(['two.example']);
  });

  it('change nothing where one of several cannot be used', async () => {
    const { files, pair, write, shown } = await stage();
    await write(authority.issue(['one.example']));
    await files.use([pair]);
    await expect(files.use([pair, { ...pair, key: pair.cert }])).rejects.toThrow('Cannot use certificate');
    expect(shown()).toEqual(['one.example']);
    expect(await readFile(pair.cert, 'utf8')).toContain('BEGIN CERTIFICATE');
  });

  it('are looked at every few seconds until they stop', async () => {
    const { files, pair, write, shown, certificates, clock } = await stage();
    await write(authority.issue(['one.example']));
    await files.use([pair]);
    files.start();
    await write(authority.issue(['two.example']));
    const changed = new Promise<void>((resolve) => certificates.onChange(resolve));
    clock.advance(lookEveryMs);
    await changed;
    expect(shown()).toEqual(['two.example']);
    await files.stop();
    clock.advance(lookEveryMs);
    expect(clock.planned).toEqual([]);
  });
});

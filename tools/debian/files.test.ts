import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import * as files from './files.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'posthorn-preinst-'));
});
afterEach(() => rmSync(root, { recursive: true }));

/** As dpkg plays it, on a machine whose /etc and /var lie below `root`. */
function install({ schemaVersion = 7 } = {}) {
  const facts = { version: '1.2.3', architecture: 'amd64', installedSize: 1, schemaVersion };
  const script = files.preinst(facts).replace(/\/(?=etc\/posthorn|var\/lib\/posthorn)/g, `${root}/`);
  const { status, stderr } = spawnSync('sh', ['-c', script, 'preinst', 'upgrade'], { encoding: 'utf8' });
  return { status, stderr };
}

function put(path: string, text: string): void {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), text);
}

const note = (schema: number) => `Posthorn 9.8.7\nschema ${schema}\n`;

describe('preinst()', () => {
  test.each([
    ['there is nothing yet', {}],
    ['the store is as old', { 'var/lib/posthorn/store/written-by': note(7) }],
    ['the store is older', { 'var/lib/posthorn/store/written-by': note(6) }],
    ['the note tells of no schema', { 'var/lib/posthorn/store/written-by': 'Posthorn 0.1.0\n' }],
    ['the note is none', { 'var/lib/posthorn/store/written-by': '\0schema 8 and $(exit 1)' }],
  ])('lets a version in where %s', (_, given) => {
    for (const [path, text] of Object.entries(given)) put(path, text);
    expect(install()).toEqual({ status: 0, stderr: '' });
  });

  test('refuses one that cannot read the store, and names both', () => {
    put('var/lib/posthorn/store/written-by', note(8));
    const { status, stderr } = install();
    expect(status).toBe(1);
    expect(stderr).toContain(
      `The store in ${root}/var/lib/posthorn was written by Posthorn 9.8.7, with schema version 8; Posthorn 1.2.3 knows versions up to 7.`,
    );
    expect(stderr).toContain('Nothing was changed.');
    expect(install({ schemaVersion: 8 }).status).toBe(0);
  });

  test.each([
    ['dataDir = "data" # here', 'etc/posthorn/data'],
    ["  dataDir='data'", 'etc/posthorn/data'],
    ['# dataDir = "data"', 'var/lib/posthorn'],
    ['[reports]\ndataDir = "data"', 'var/lib/posthorn'],
  ])('finds the store by the configuration: %j', (text, place) => {
    put('etc/posthorn/posthorn.toml', `hostname = "mx.example.com"\n${text}\n`);
    put(`${place}/store/written-by`, note(8));
    expect(install().stderr).toContain(`The store in ${root}/${place} was`);
  });

  test('finds a store that lies anywhere', () => {
    put('etc/posthorn/posthorn.toml', `dataDir = "${root}/srv/mail"\n`);
    put('srv/mail/store/written-by', note(8));
    expect(install().status).toBe(1);
  });
});

test('what dpkg plays is what a shell understands', () => {
  for (const script of [files.postinst, files.prerm, files.postrm])
    expect(spawnSync('sh', ['-n', '-c', script], { encoding: 'utf8' })).toMatchObject({
      status: 0,
      stderr: '',
    });
});

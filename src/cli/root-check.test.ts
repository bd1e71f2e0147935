import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { demandOwner } from './root-check.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'posthorn-owner-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const serve = (userId: number | undefined, directory = dataDir) =>
  demandOwner({ dataDir: directory, program: '/opt/p', words: ['--config', 'c.toml'], userId });

test('who is not root serves what the system lets it, and root what is root’s or not there yet', async () => {
  await serve(1000);
  await serve(undefined);
  await serve(0, join(dataDir, 'not-yet'));
  if (process.getuid?.() === 0) await serve(0);
});

test.skipIf(process.getuid?.() !== 0)(
  'root is told to serve the data of another user as that user',
  async () => {
    chownSync(dataDir, 65534, 65534);
    await expect(serve(0)).rejects.toMatchObject({
      exitCode: 77,
      message: expect.stringMatching(
        / belongs to nobody, .*\n {4}setpriv --reuid=nobody .* \/opt\/p serve --config c\.toml$/s,
      ),
    });
  },
);

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseConfig } from '../config/load.ts';
import { systemClock } from '../util/clock.ts';
import { openAdmin } from './open-admin.ts';

const hash = '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA';

describe('openAdmin()', () => {
  let dataDir: string;
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'posthorn-admin-'));
  });
  afterEach(() => rmSync(dataDir, { recursive: true }));

  const configOf = () =>
    parseConfig(
      `hostname = "mx.example.com"\ndataDir = "${dataDir}"\n[[domain]]\nname = "example.com"`,
      '/posthorn.toml',
    );

  test('openAdmin() opens the store itself where no server runs, also over a socket that was left behind', async () => {
    writeFileSync(join(dataDir, 'control.sock'), '');
    const config = await configOf();
    const admin = await openAdmin(config, systemClock);
    await admin.addAccount({ address: 'a@example.com', hash });
    await admin.close();
    const again = await openAdmin(config, systemClock);
    expect(await again.listAccounts()).toHaveLength(1);
    await again.close();
  });

  test('openAdmin() gives up with a clear word when the store is in use and nobody answers', async () => {
    const config = await configOf();
    const admin = await openAdmin(config, systemClock);
    let now = 0;
    const clock = {
      now: () => now,
      after(delayMs: number, action: () => void) {
        now += 20 * delayMs;
        setImmediate(action);
        return () => undefined;
      },
    };
    await expect(openAdmin(config, clock)).rejects.toMatchObject({ name: 'AdminError', code: 'in-use' });
    await admin.close();
  });
});

import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { configPlace } from '../testing/config-place.ts';
import { findConfigFile } from './find.ts';

const { directory, file } = configPlace();

describe('findConfigFile()', () => {
  test('findConfigFile() prefers the flag, then the environment, then the working directory', async () => {
    writeFileSync(file, '');
    const env = { POSTHORN_CONFIG: '/e.toml' };
    expect(await findConfigFile({ flag: 'f.toml', env, cwd: '/d' })).toBe('/d/f.toml');
    expect(await findConfigFile({ flag: undefined, env, cwd: directory })).toBe('/e.toml');
    expect(await findConfigFile({ flag: undefined, env: {}, cwd: directory })).toBe(file);
  });

  test('findConfigFile() names the places it looked at when there is none', async () => {
    const search = findConfigFile({ flag: undefined, env: {}, cwd: '/nonexistent' });
    await expect(search).rejects.toThrow(/\/nonexistent\/posthorn\.toml, \/etc\/posthorn\/posthorn\.toml/);
  });

  test('findConfigFile() takes the file of the machine where nobody can say whether it is there', async () => {
    // As one in a directory that is closed to this user, which for root there is none.
    const systemFile = join(directory, 'in-a-circle.toml');
    symlinkSync(systemFile, systemFile);
    const places = { flag: undefined, env: {}, cwd: '/nonexistent', systemFile };
    expect(await findConfigFile(places)).toBe(systemFile);
    rmSync(systemFile);
    await expect(findConfigFile(places)).rejects.toThrow('no configuration file is there');
  });
});

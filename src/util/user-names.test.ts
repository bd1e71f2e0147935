import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../testing/store.ts';
import { findUser, userName } from './user-names.ts';

test('userName() and findUser() read what /etc/passwd has, and nothing else', async () => {
  await using directory = await temporaryDirectory();
  const file = join(directory.path, 'passwd');
  await writeFile(file, 'root:x:0:0::/:/bin/sh\n\n:x:7:7\nmail:x:8:12::/:/bin/false\nbroken:x:a:b\n');
  expect(await userName(8, file)).toBe('mail');
  expect(await userName(7, file)).toBe('uid7');
  expect(await findUser('mail', file)).toEqual({ uid: 8, gid: 12 });
  for (const name of ['', 'broken', 'nobody-has-this-name'])
    expect(await findUser(name, file)).toBeUndefined();
  expect(await findUser('mail', join(directory.path, 'none'))).toBeUndefined();
});

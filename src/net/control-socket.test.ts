import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../testing/store.ts';
import { connectControl, listenControl } from './control-socket.ts';

test('connectControl() names what it cannot connect to as it was named', async () => {
  await using directory = await temporaryDirectory();
  const file = join(directory.path, 'file');
  await writeFile(file, '');
  const path = join(file, 'control.sock'); // through what is no directory
  await expect(connectControl(path)).rejects.toMatchObject({ code: 'ENOTDIR', address: path });
});

test('connectControl() comes to a socket whose path is too long, from a place nearby', async () => {
  await using directory = await temporaryDirectory();
  const deep = join(directory.path, 'd'.repeat(100), 'd'.repeat(100));
  await mkdir(deep, { recursive: true });
  const path = join(deep, 'control.sock');
  const here = process.cwd();
  process.chdir(deep);
  try {
    const listener = await listenControl(path, (connection) => connection.close());
    const connection = await connectControl(path);
    expect(connection).toBeDefined();
    connection?.close();
    await listener.close();
  } finally {
    process.chdir(here);
  }
});

test('connectControl() finds nobody where the listener goes before it has taken the connection', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'control.sock');
  const listener = await listenControl(path, (connection) => connection.close());
  const connecting = connectControl(path); // waits in the queue of the kernel
  const closing = listener.close();
  expect(await connecting).toBeUndefined();
  await closing;
});

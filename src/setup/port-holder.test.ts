import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { platform } from 'node:os';
import { expect, it } from 'vitest';
import { findPortHolder } from './port-holder.ts';

it.skipIf(platform() !== 'linux')('findPortHolder() names the program that listens on a port', async () => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // of a TCP server
  expect(await findPortHolder(port)).toMatch(new RegExp(`^.+ \\(pid ${process.pid}\\)$`));
  server.close();
  await once(server, 'close');
  expect(await findPortHolder(port)).toBeUndefined();
});

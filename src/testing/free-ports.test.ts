import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { freePort } from './free-ports.ts';

test('freePort() takes the preferred port if it is free, else another', async () => {
  const preferred = await freePort(['127.0.0.1']);
  expect(await freePort(['127.0.0.1'], preferred)).toBe(preferred);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(preferred, '127.0.0.1', resolve));
  expect(await freePort(['127.0.0.1'], preferred)).not.toBe(preferred);
  server.close();
});

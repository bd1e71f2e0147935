import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { listenTrouble } from './listen-trouble.ts';

/** The error of a server that cannot listen there. */
async function errorAt(where: string | { host: string; port: number }): Promise<unknown> {
  const server = createServer();
  const failed = once(server, 'error');
  if (typeof where === 'string') server.listen(where);
  else server.listen(where);
  const [error] = await failed;
  return error;
}

test('listenTrouble() speaks of the directory of a socket that cannot be made, not of ports', async () => {
  expect(listenTrouble(await errorAt('/nonexistent/run/operator.sock'))).toEqual({
    kind: 'forbidden',
    what: 'the socket /nonexistent/run/operator.sock cannot be made: /nonexistent/run is not there, or this user may not write there',
    remedy: expect.stringContaining('Make that directory'),
  });
});

test('listenTrouble() names the port that is taken', async () => {
  const first = createServer().listen(0, '127.0.0.1');
  await once(first, 'listening');
  const address = first.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const trouble = listenTrouble(await errorAt({ host: '127.0.0.1', port }));
  first.close();
  expect(trouble).toMatchObject({
    kind: 'taken',
    what: `port ${port} of 127.0.0.1 is taken by another program`,
  });
});

test('listenTrouble() leaves other errors alone', () => {
  expect(listenTrouble(new Error('x'))).toBeUndefined();
});

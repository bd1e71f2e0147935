import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { fakeClock } from '../testing/fake-clock.ts';
import { systemClock } from '../util/clock.ts';
import { filterDialler } from './byte-stream.ts';

const open: Server[] = [];
const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of open.splice(0)) server.close();
});

async function serve(
  serve: (socket: Socket) => void,
  path?: string,
): Promise<{ host: string; port: number }> {
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => socket.destroy());
    serve(socket);
  });
  open.push(server);
  if (path === undefined) server.listen(0, '127.0.0.1');
  else server.listen(path);
  await once(server, 'listening');
  const address = server.address();
  return { host: '127.0.0.1', port: typeof address === 'object' && address !== null ? address.port : 0 };
}

describe('filterDialler()', () => {
  test('talks over TCP and over a Unix socket', async () => {
    const echo = (socket: Socket) => void socket.pipe(socket);
    const directory = await mkdtemp(join(tmpdir(), 'filter-'));
    const path = join(directory, 'socket');
    await serve(echo, path);
    for (const place of [await serve(echo), { socket: path }]) {
      const stream = await filterDialler(systemClock)(place, 5000);
      await stream.write([Buffer.from('hel'), Buffer.from('lo')], 5000);
      expect((await stream.read(5000)).toString()).toBe('hello');
      expect(stream.hasInput).toBe(false);
      stream.close();
      await expect(stream.read(5000)).rejects.toMatchObject({ kind: 'down' });
    }
    await rm(directory, { recursive: true });
  });

  test('says that nobody listens, or that the connection has ended', async () => {
    await expect(filterDialler(systemClock)({ socket: '/nonexistent/socket' }, 5000)).rejects.toMatchObject({
      kind: 'down',
    });
    const place = await serve((socket) => socket.end('bye'));
    const stream = await filterDialler(systemClock)(place, 5000);
    expect((await stream.read(5000)).toString()).toBe('bye');
    await expect(stream.read(5000)).rejects.toMatchObject({ kind: 'down' });
    await expect(stream.write([Buffer.from('x')], 5000)).rejects.toMatchObject({ kind: 'down' });
  });

  test('does not wait for longer than it is told to, for an answer or for room', async () => {
    const clock = fakeClock();
    const place = await serve((socket) => socket.pause());
    const stream = await filterDialler(clock)(place, 5000);
    const read = stream.read(2000);
    clock.advance(2000);
    await expect(read).rejects.toMatchObject({ kind: 'timeout', message: 'no answer within 2 s' });
    const other = await filterDialler(clock)(place, 5000);
    const written = other.write([Buffer.alloc(50_000_000)], 3000);
    clock.advance(3000);
    await expect(written).rejects.toMatchObject({ kind: 'timeout', message: 'no room for more within 3 s' });
  });

  test('reads no more than is asked for from a peer that talks for ever', async () => {
    let sent = 0;
    const place = await serve((socket) => {
      const talk = () => {
        while (!socket.writableNeedDrain) {
          socket.write(Buffer.alloc(65_536));
          sent += 65_536;
        }
        socket.once('drain', talk);
      };
      talk();
    });
    const stream = await filterDialler(systemClock)(place, 5000);
    const first = await stream.read(5000);
    expect(first.length).toBeLessThan(500_000);
    stream.close();
    expect(sent).toBeLessThan(20_000_000);
  });
});

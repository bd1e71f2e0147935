import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Protocol } from '../config/listeners.ts';
import { LineConnection } from '../testing/line-connection.ts';
import { startWorld, type World } from '../testing/world.ts';

const recipient = 'recipient@example.net';
const limit = 100_000;

let world: World<'example.net'>;

beforeAll(async () => {
  world = await startWorld({
    servers: {
      'example.net': {
        accounts: { [recipient]: 'secret' },
        settings: { limits: { messageBytes: limit, idleSeconds: 1, sessionSeconds: 20 } },
      },
    },
  });
});
afterAll(() => world[Symbol.asyncDispose]());

const server = () => world.servers['example.net'];

/** Whatever the test did: the others are served. */
afterEach(async () => {
  const { replies } = await server().receive({ from: 'a@b.example', to: recipient });
  expect(replies.get(recipient)?.code).toBe(250);
});

async function reach(protocol: Protocol): Promise<Socket> {
  const { address, port } = server().endpoint(protocol, '127.0.0.1');
  const socket = connect({ host: address, port });
  socket.on('error', () => undefined); // a reset is a way to close
  await once(socket, 'connect');
  return socket;
}

/** All that the server says until it closes. */
async function heard(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  await closed(socket);
  return text;
}

/** Also after an error. */
const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => (socket.closed ? resolve() : socket.once('close', () => resolve())));

const open = () => LineConnection.open(server().endpoint('smtp', '127.0.0.1'));

/** A session in which a transaction is open, for `recipient`. */
async function transaction(): Promise<LineConnection> {
  const client = await open();
  await client.line();
  await client.ask('HELO c');
  await client.ask('MAIL FROM:<a@b.example>');
  expect(await client.ask(`RCPT TO:<${recipient}>`)).toMatch(/^250 /);
  return client;
}

describe('bad input', () => {
  test.each<Protocol>(['smtp', 'submission', 'submissions', 'pop3', 'pop3s'])(
    'garbage at the %s port is answered or closed',
    async (protocol) => {
      const socket = await reach(protocol);
      const listening = heard(socket);
      for (let index = 0; index < 50; index++) socket.write(randomBytes(4096));
      socket.end('\r\n');
      expect(await listening).not.toMatch(/^2\d\d(?! mx\.example\.net ESMTP)/);
    },
  );

  test.each<Protocol>(['smtp', 'pop3'])('an endless line at the %s port is cut off', async (protocol) => {
    const socket = await reach(protocol);
    const listening = heard(socket);
    const piece = Buffer.alloc(64 * 1024, 'x');
    const gone = closed(socket);
    while (socket.writable && socket.bytesWritten < 50 * 1024 * 1024)
      if (!socket.write(piece))
        await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), gone]);
    expect(await listening).toMatch(/(?:421 4\.7\.0|-ERR) .*\r\n$/);
    expect(socket.bytesWritten).toBeLessThan(40 * 1024 * 1024);
  });

  test.each<Protocol>(['submissions', 'pop3s'])(
    'half a TLS handshake at the %s port hurts nobody',
    async (protocol) => {
      const socket = await reach(protocol);
      socket.write(Buffer.from('16030100c8010000c40303', 'hex'));
      socket.end();
      expect(await heard(socket)).toBe('');
    },
  );

  test('10,000 recipients: as many as the limit are taken, the rest is told to come again', async () => {
    await using client = await transaction();
    client.write(`RCPT TO:<${recipient}>\r\n`.repeat(9999));
    const codes = new Map<string, number>();
    for (let last = ''; last !== '421'; codes.set(last, (codes.get(last) ?? 0) + 1))
      last = (await client.line()).slice(0, 3);
    expect(codes.get('250')).toBe(999);
    expect(codes.get('452')).toBeGreaterThan(0);
  });

  test('P4: a body over the limit is refused at its end', async () => {
    await using client = await transaction();
    await client.ask('DATA');
    expect(await client.ask(`${'x'.repeat(limit)}\r\n.`)).toMatch(/^552 5\.3\.4 /);
  });

  test('P4: a body far over the limit is cut off', async () => {
    await using client = await transaction();
    await client.ask('DATA');
    for (let index = 0; index < 30; index++) client.write(`${'x'.repeat(10_000)}\r\n`);
    expect(await client.line()).toMatch(/^552 5\.3\.4 /);
    await client.closed();
  });

  test('a NUL in an address is refused', async () => {
    await using client = await transaction();
    expect(await client.ask('RCPT TO:<reci\0pient@example.net>')).toMatch(/^500 5\.5\.2 /);
  });

  test('a body that never ends is given up when nothing more comes', async () => {
    await using client = await transaction();
    await client.ask('DATA');
    client.write('Subject: never\r\n\r\nends');
    expect(await client.line()).toMatch(/^421 4\.4\.2 /);
    await client.closed();
  });

  test('a client that never reads is closed', async () => {
    const socket = await reach('smtp');
    socket.pause();
    socket.write('EHLO c\r\n');
    for (let index = 0; index < 900; index++) socket.write('HELP\r\n');
    await closed(socket.resume());
  });

  test('hundreds of messages in one write are answered in order', async () => {
    await using client = await open();
    await client.line();
    const message = `MAIL FROM:<a@b.example>\r\nRCPT TO:<nobody@example.net>\r\nRSET\r\n`;
    client.write(`HELO c\r\n${message.repeat(200)}QUIT\r\n`);
    expect(await client.line()).toMatch(/^250 /);
    for (let index = 0; index < 200; index++)
      for (const code of ['250', '550', '250']) expect((await client.line()).slice(0, 3)).toBe(code);
  });
});

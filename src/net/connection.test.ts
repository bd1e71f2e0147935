import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, connect as tlsConnect } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { testAuthority } from '../testing/certificates.ts';
import { LineMachine } from '../testing/line-machine.ts';
import { createLog } from '../util/log.ts';
import { Connection, type ConnectionLimits } from './connection.ts';
import { oneContext } from './server-context.ts';

const authority = testAuthority();
const { cert, key } = authority.issue(['mx.example.com']);
const tls = oneContext(createSecureContext({ cert, key }));
const patient: ConnectionLimits = { idleMs: 10_000, sessionMs: 10_000 };

type Handle = (line: string) => string | Promise<string>;
const echo: Handle = (line) => `re: ${line}`;

/** What one test has: a server that takes a connection with `open()`, and what came of it. */
class Stage {
  readonly machine = new LineMachine();
  readonly asked: string[] = [];
  readonly logged: { msg: string; err?: { message: string } }[] = [];
  closings = 0;
  readonly #sockets: Socket[] = [];
  #server: Server | undefined;

  async open(handle: Handle = echo, limits = patient) {
    const accepted = Promise.withResolvers<Connection<string, string>>();
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
      const application = {
        handle: (line: string) => {
          this.asked.push(line);
          return handle(line);
        },
        closed: () => void this.closings++,
      };
      const log = createLog('info', { write: (line) => void this.logged.push(JSON.parse(line)) });
      const { machine } = this;
      accepted.resolve(new Connection(socket, { machine, application, tls, limits, log }));
    }).listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const client = connect({ port, host: '127.0.0.1' });
    client.on('error', () => undefined); // resets are part of the play
    this.#sockets.push(client);
    return { client, connection: await accepted.promise };
  }

  end(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server?.close();
  }
}

/** Everything that arrives until the other side closes. */
async function heard(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket) text += chunk;
  return text;
}

/** Resolves with the next piece that arrives. */
const next = async (socket: Socket): Promise<string> => String((await once(socket, 'data'))[0]);

const until = (condition: () => boolean): Promise<boolean> =>
  vi.waitUntil(condition, { timeout: 8000, interval: 5 });

/** Resolves when a number has stopped to change: there is no event for what does not happen. */
async function stalled(read: () => number): Promise<void> {
  let before: number;
  do {
    before = read();
    await new Promise((resolve) => setTimeout(resolve, 50));
  } while (read() !== before);
}

let stage: Stage;
beforeEach(() => {
  stage = new Stage();
});
afterEach(() => {
  stage.end();
  vi.useRealTimers();
});

describe('Connection', () => {
  test('answers in order, however the lines are cut, and closes after the last word', async () => {
    const { client } = await stage.open(async (line) => `re: ${line}`);
    for (const piece of ['on', 'e\ntwo\nthr', 'ee\nQUIT\nignored\n']) client.write(piece);
    expect(await heard(client)).toBe('re: one\nre: two\nre: three\nre: QUIT\n');
    expect(stage.asked).toEqual(['one', 'two', 'three', 'QUIT']);
  });

  test('its last word arrives, although the client goes on sending', async () => {
    const { client, connection } = await stage.open();
    const listening = heard(client);
    client.write('QUIT\n');
    const flood = Buffer.alloc(1024 * 1024, 'x');
    for (let index = 0; index < 10; index++) client.write(flood);
    expect(await listening).toBe('re: QUIT\n');
    await connection.closed;
  });

  test('closes a client that does not go after the last word', async () => {
    const { client, connection } = await stage.open();
    client.allowHalfOpen = true;
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    client.write('QUIT\n');
    expect(await next(client)).toBe('re: QUIT\n');
    vi.advanceTimersByTime(3000);
    await connection.closed;
  });

  test('tells the application once that the connection is gone', async () => {
    const { client, connection } = await stage.open();
    client.write('one\n');
    await next(client);
    client.resetAndDestroy();
    await connection.closed;
    expect(stage.closings).toBe(1);
  });
});

describe('a client that closes its sending side', () => {
  test('P15: gets all its answers, those of what it pipelined too', async () => {
    const { client, connection } = await stage.open(async (line) => `re: ${line}`);
    client.end('one\ntwo\nQUIT\n');
    expect(await heard(client)).toBe('re: one\nre: two\nre: QUIT\n');
    await connection.closed;
  });

  test('P15: gets an answer that takes time, and is then closed without QUIT', async () => {
    const answer = Promise.withResolvers<string>();
    const { client, connection } = await stage.open(() => answer.promise);
    client.end('end of data\nhalf a li');
    await once(client, 'finish');
    await until(() => stage.machine.receivedBytes > 12);
    await new Promise(setImmediate);
    answer.resolve('250 queued');
    expect(await heard(client)).toBe('250 queued\n');
    await connection.closed;
    expect(stage.asked).toEqual(['end of data']);
  });

  test('P15: gets its answers over TLS, too', async () => {
    const { client, connection } = await stage.open(async (line) => `re: ${line}`);
    client.write('STARTTLS\n');
    await next(client);
    client.allowHalfOpen = true;
    const secure = tlsConnect({ socket: client, servername: 'mx.example.com', ca: authority.cert });
    await once(secure, 'secureConnect');
    const listening = heard(secure);
    secure.end('one\ntwo\n');
    expect(await listening).toBe('re: one\nre: two\n');
    await connection.closed;
  });

  test('is closed at once where nothing is under way', async () => {
    const { client, connection } = await stage.open();
    client.end();
    await connection.closed;
    expect(stage.closings).toBe(1);
  });
});

describe('back-pressure', () => {
  test('a client that never reads is not asked for more, and is served when it reads again', async () => {
    const answer = 'x'.repeat(512 * 1024);
    const { client } = await stage.open(async () => answer);
    client.write('more\n'.repeat(100));
    await until(() => stage.asked.length > 0);
    await stalled(() => stage.asked.length);
    expect(stage.asked.length).toBeLessThan(50);
    client.on('data', () => undefined);
    await until(() => stage.asked.length === 100);
  });

  test('reads no more than it can answer', async () => {
    const answer = Promise.withResolvers<string>();
    const { client } = await stage.open((line) => (line === 'wait' ? answer.promise : 'ok'));
    client.write('wait\n');
    await until(() => stage.asked.length === 1);
    const line = `${'x'.repeat(16 * 1024)}\n`;
    for (let index = 0; index < 1000; index++) client.write(line);
    await stalled(() => client.bytesWritten - client.writableLength);
    expect(stage.machine.receivedBytes).toBeLessThan(1024 * 1024);
    answer.resolve('done');
    await until(() => stage.asked.length === 1001);
  });
});

describe('time limits', () => {
  test('a silent client is told, and the connection closed', async () => {
    const { client } = await stage.open(echo, { ...patient, idleMs: 30 });
    expect(await heard(client)).toBe('bye: idle\n');
  });

  test('a client that never reads is closed, too', async () => {
    const { client, connection } = await stage.open(async () => 'x'.repeat(20 * 1024 * 1024), {
      ...patient,
      idleMs: 50,
    });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    client.write('more\n');
    await until(() => stage.machine.ended);
    vi.advanceTimersByTime(3000);
    await connection.closed;
  });

  test('no session lasts longer than it may, however busy', async () => {
    const { client, connection } = await stage.open(echo, { ...patient, sessionMs: 100 });
    const chatter = setInterval(() => client.write('still here\n'), 5);
    const said = await heard(client);
    clearInterval(chatter);
    expect(said.endsWith('bye: time\n')).toBe(true);
    await connection.closed;
  });
});

describe.each(['idle', 'time', 'shutdown'] as const)('the end of a session by %s', (why) => {
  test('gives the answer that is under way first: a message that was kept must not be sent again', async () => {
    const answer = Promise.withResolvers<string>();
    const { client, connection } = await stage.open(() => answer.promise);
    client.write('end of data\nanother\n');
    await until(() => stage.asked.length === 1);
    connection.end(why);
    answer.resolve('250 queued');
    expect(await heard(client)).toBe(`250 queued\nbye: ${why}\n`);
    expect(stage.asked).toEqual(['end of data']);
  });

  test('does not wait for ever: not for a client that never reads, nor for an answer that never comes', async () => {
    const { client, connection } = await stage.open(() => new Promise(() => undefined));
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    client.write('end of data\n');
    await until(() => stage.asked.length === 1);
    connection.end(why);
    vi.advanceTimersByTime(why === 'shutdown' ? 10_000 : 600_000);
    await connection.closed;
  });

  test('does not wait for a TLS handshake', async () => {
    const { client, connection } = await stage.open();
    client.write('STARTTLS\n');
    await next(client);
    connection.end(why);
    await connection.closed;
  });
});

describe('shutdown', () => {
  test('says goodbye at once where nothing is under way', async () => {
    const { client, connection } = await stage.open();
    connection.end('shutdown');
    expect(await heard(client)).toBe('bye: shutdown\n');
    await connection.closed;
  });

  test('waits for a message that is coming in', async () => {
    const { client, connection } = await stage.open();
    stage.machine.midway = true;
    connection.end('shutdown');
    client.write('one\n');
    expect(await next(client)).toBe('re: one\n');
    stage.machine.midway = false;
    client.write('two\n');
    expect(await heard(client)).toBe('re: two\nbye: shutdown\n');
    await connection.closed;
  });
});

describe('TLS', () => {
  test('P9: is started where the machine wants it, and forgets what was sent in clear text before it', async () => {
    const { client, connection } = await stage.open();
    client.write('STARTTLS\ninjected\n');
    expect(await next(client)).toBe('re: STARTTLS\n');
    const secure = tlsConnect({ socket: client, servername: 'mx.example.com', ca: authority.cert });
    await once(secure, 'secureConnect');
    await until(() => stage.machine.tls !== undefined);
    expect(stage.machine.tls).toMatchObject({ version: 'TLSv1.3', serverName: 'mx.example.com' });
    secure.write('hello\nQUIT\n');
    expect(await heard(secure)).toBe('re: hello\nre: QUIT\n');
    expect(stage.asked).toEqual(['STARTTLS', 'hello', 'QUIT']);
    await connection.closed;
    expect(stage.closings).toBe(1);
  });

  test.each([
    ['garbage', (client: Socket) => client.write('this is no TLS\r\n\r\n')],
    ['a client that hangs up in it', (client: Socket) => client.end()],
    ['a client that resets the connection', (client: Socket) => client.resetAndDestroy()],
  ])('a handshake that fails by %s closes the connection', async (_, fail) => {
    const { client, connection } = await stage.open();
    client.write('STARTTLS\n');
    await next(client);
    fail(client);
    await connection.closed;
    expect(stage.closings).toBe(1);
    await until(() => stage.logged.length > 0);
    expect(stage.logged).toMatchObject([{ msg: 'TLS handshake failed' }]);
  });

  test('half a handshake is given up after 30 s', async () => {
    const { client, connection } = await stage.open();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    client.write('STARTTLS\n');
    await next(client);
    client.write(Buffer.from('160301020001', 'hex')); // the beginning of a ClientHello
    vi.advanceTimersByTime(30_000);
    await connection.closed;
    await until(() => stage.logged.length > 0);
    expect(stage.logged).toMatchObject([{ msg: 'TLS handshake failed' }]);
  });
});

describe('a bug', () => {
  test.each<[string, Handle]>([
    [
      'an application that throws',
      () => {
        throw new Error('oops');
      },
    ],
    ['an application that rejects', () => Promise.reject(new Error('oops'))],
  ])('%s closes the connection without a word, and is logged', async (_, handle) => {
    const { client, connection } = await stage.open(handle);
    client.write('one\n');
    expect(await heard(client)).toBe('');
    await connection.closed;
    expect(stage.logged).toMatchObject([{ err: { message: 'oops' } }]);
    expect(stage.closings).toBe(1);
  });

  test('so does a machine that throws', async () => {
    const { client, connection } = await stage.open(async (line) => line);
    stage.machine.reply = () => {
      throw new Error('oops');
    };
    client.write('one\n');
    expect(await heard(client)).toBe('');
    await connection.closed;
    expect(stage.logged).toMatchObject([{ err: { message: 'oops' } }]);
  });
});

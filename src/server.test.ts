import { existsSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { startServer } from './server.ts';
import { LineConnection } from './testing/line-connection.ts';
import { startWorld, type World, type WorldOptions } from './testing/world.ts';
import { createLog } from './util/log.ts';

const sender = 'sender@example.com';
const servers = { 'example.com': { accounts: { [sender]: 'secret' } } };

let world: World<'example.com'> | undefined;
afterEach(() => world?.[Symbol.asyncDispose]());

async function start(options: Partial<WorldOptions<'example.com'>> = {}) {
  world = await startWorld({ servers, ...options });
  return world.servers['example.com'];
}

const log = createLog('silent');

describe('startServer()', () => {
  test('tells what listens where', async () => {
    const server = await start();
    await server.stop();
    const running = await startServer({ config: server.config, log });
    expect(new Set(running.listeners.map(({ protocol }) => protocol))).toEqual(
      new Set(['smtp', 'submission', 'submissions', 'pop3', 'pop3s']),
    );
    await running.stop();
  });

  test('rejects for a port that is taken, and leaves nothing behind', async () => {
    const { config } = await start();
    const other = { ...config, dataDir: `${config.dataDir}-of-another` };
    await expect(startServer({ config: other, log })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    const running = await startServer({ config: { ...other, listeners: [] }, log }); // its store is free
    await running.stop();
  });

  test('rejects for a data directory that is in use', async () => {
    const { config } = await start();
    const elsewhere = {
      ...config,
      listeners: config.listeners.map((listener) => ({ ...listener, port: 0 })),
    };
    await expect(startServer({ config: elsewhere, log })).rejects.toMatchObject({ kind: 'in-use' });
  });
});

describe('RunningServer.stop()', () => {
  test('does not wait for clients who have nothing to say', async () => {
    const server = await start();
    await using idle = await LineConnection.open(server.endpoint('smtp', '127.0.0.1'));
    expect(await idle.line()).toMatch(/^220 /);
    await using shaking = await LineConnection.open(server.endpoint('submissions', '127.0.0.1'));
    await using reading = await LineConnection.open(server.endpoint('pop3', '127.0.0.1'));
    await reading.line();
    await server.stop();
    expect(await idle.line()).toMatch(/^421 4\.3\.2 /);
    await shaking.closed();
  });

  test('P7: a message that was acknowledged is there after the next start', async () => {
    const server = await start();
    const { queueId = '' } = await server.submit({ from: sender, to: 'ann@nowhere.invalid' });
    await server.settled(queueId);
    await server.submit({ from: sender, to: sender, subject: 'kept' });
    await server.restart();
    const inbox = await server.inbox(sender, 2); // the letter, and the report about the other one
    expect(inbox.some((letter) => letter.includes('Subject: kept'))).toBe(true);
    expect((await server.trace(queueId)).map(({ event }) => event)).toContain('failed');
  });

  test('takes the control socket away', async () => {
    const server = await start();
    const socket = `${server.config.dataDir}/control.sock`;
    expect(existsSync(socket)).toBe(true);
    await server.stop();
    expect(existsSync(socket)).toBe(false);
  });
});

describe('a running server', () => {
  test('knows an account as soon as it is added', async () => {
    const server = await start();
    const ann = 'ann@example.com';
    const before = await server.receive({ from: 'a@b.example', to: ann });
    expect(before.replies.get(ann)).toMatchObject({ code: 550, enhanced: '5.1.1' });
    await server.addAccount(ann, 'secret');
    const after = await server.receive({ from: 'a@b.example', to: ann });
    expect(after.replies.get(ann)?.code).toBe(250);
    expect(await server.inbox(ann)).toHaveLength(1);
  });

  test('keeps no dossiers where they are switched off, and delivers all the same', async () => {
    const server = await start({
      servers: { 'example.com': { ...servers['example.com'], settings: { dossier: { enabled: false } } } },
    });
    await server.submit({ from: sender, to: sender });
    expect(await server.inbox(sender)).toHaveLength(1);
    expect(await server.trace(sender)).toEqual([]);
  });

  test('turns away sessions beyond the limit, and goes on', async () => {
    const settings = { limits: { sessionsPerAddress: 2 } };
    const server = await start({ servers: { 'example.com': { ...servers['example.com'], settings } } });
    const endpoint = server.endpoint('smtp', '127.0.0.1');
    const two = [await LineConnection.open(endpoint), await LineConnection.open(endpoint)];
    await Promise.all(two.map((client) => client.line()));
    await using third = await LineConnection.open(endpoint);
    expect(await third.line()).toMatch(/^421 4\.7\.0 /);
    for (const client of two) await client[Symbol.asyncDispose]();
    await expect
      .poll(
        async () => {
          await using next = await LineConnection.open(endpoint);
          return (await next.line()).slice(0, 3);
        },
        { timeout: 20_000 },
      )
      .toBe('220');
  });
});

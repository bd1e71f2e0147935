import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ControlConnection, type ControlListener, listenControl } from '../net/control-socket.ts';
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts';
import type { Admin } from './admin.ts';
import { longestMs, usualSilenceMs as silenceMs } from './answer-watch.ts';
import { remoteAdmin } from './control-client.ts';
import { encodeFrame } from './frames.ts';

let directory: string;
let clock: FakeClock;
let listener: ControlListener;
let admin: Admin;
/** The server's end. It says what a test has it say. */
let server: ControlConnection;
let asked: string;
let listening: Promise<void>;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'posthorn-client-'));
  clock = fakeClock();
  asked = '';
  const path = join(directory, 'control.sock');
  const { promise: connected, resolve } = Promise.withResolvers<ControlConnection>();
  listener = await listenControl(path, resolve);
  const found = await remoteAdmin(path, { clock, owner: () => ' (pid 7)' });
  if (found === undefined) throw new Error('nobody listens');
  admin = found;
  server = await connected;
  listening = listen();
});

afterEach(async () => {
  await admin.close();
  await listening;
  await listener.close();
  await rm(directory, { recursive: true });
});

/** Until the client has gone, however that ends the connection. */
async function listen(): Promise<void> {
  try {
    for await (const chunk of server.chunks) asked += chunk.toString();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
  }
}

const say = (value: Record<string, unknown>) => server.write(encodeFrame({ value }));
const request = () => expect.poll(() => asked).toMatch(/\n$/);
/** The client has heard a word of the server, and waits from now on. */
const heard = () => expect.poll(() => clock.planned).toContain(clock.now() + silenceMs);

const givenUp = (text: string) =>
  expect.objectContaining({ code: 'connection', message: expect.stringContaining(text) });

describe('remoteAdmin()', () => {
  test('gives up a server that says nothing, names its process, and takes no late answer for another', async () => {
    const listed = admin.listAccounts();
    await request();
    clock.advance(silenceMs);
    clock.advance(1_000);
    await expect(listed).rejects.toEqual(givenUp('The server (pid 7) has said nothing for 30 s'));
    await expect(admin.listAliases()).rejects.toEqual(givenUp('went away before it answered'));
  });

  test('waits for a server that says it is at work', async () => {
    const listed = admin.listAccounts();
    await request();
    for (let beats = 0; beats < 10; beats++) {
      clock.advance(silenceMs - 1);
      await say({ working: true });
      await heard();
    }
    await say({ result: [] });
    expect(await listed).toEqual([]);
    expect(clock.planned).toEqual([]);
  });

  test('gives up a server that is at work without end', async () => {
    const listed = admin.listAccounts();
    await request();
    for (let waited = 0; waited < longestMs - 20_000; waited += 20_000) {
      clock.advance(20_000);
      await say({ working: true });
      await heard();
    }
    clock.advance(20_000);
    await expect(listed).rejects.toEqual(givenUp('has not done it within 600 s'));
  });

  test('reads what came while this process was stopped, before it gives up', async () => {
    const listed = admin.listAccounts();
    await request();
    await say({ working: true });
    clock.advance(silenceMs); // before anything was read
    await heard();
    clock.advance(silenceMs - 1);
    await say({ result: [] });
    expect(await listed).toEqual([]);
  });

  test('gives up a server that does not read a long request', async () => {
    const path = join(directory, 'deaf.sock');
    const { promise: connected, resolve } = Promise.withResolvers<ControlConnection>();
    const deaf = await listenControl(path, resolve);
    const sender = await remoteAdmin(path, { clock });
    const content = Buffer.alloc(8 * 2 ** 20, 'x');
    const sent = sender?.send({ from: '', recipients: ['a@example.org'], content });
    await expect.poll(() => clock.planned).not.toEqual([]);
    clock.advance(silenceMs);
    clock.advance(1_000);
    await expect(sent).rejects.toEqual(givenUp('has said nothing'));
    (await connected).close();
    await deaf.close();
  });

  test('says so where more commands wait already than the system lets', async () => {
    const path = join(directory, 'control.sock');
    // The server is this process, and accepts nobody before this is through.
    const commands = Array.from({ length: 700 }, () => remoteAdmin(path, { clock }));
    const settled = await Promise.allSettled(commands);
    const refused = settled.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    expect(refused.length).toBeGreaterThan(0);
    for (const reason of refused) expect(reason).toEqual(givenUp('takes no more commands'));
    for (const each of settled) if (each.status === 'fulfilled') await each.value?.close();
  });
});

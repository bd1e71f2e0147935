/** `posthorn sendmail` of who may open the control socket: the server says at once what becomes of the message. */

import { once } from 'node:events';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import { encodeFrame } from '../admin/frames.ts';
import { handOver } from '../cli/sendmail/over-socket.ts';
import { sendmail } from '../cli/sendmail/sendmail.ts';
import type { Terminal } from '../cli/terminal.ts';
import { controlSocketName } from '../net/control-socket.ts';
import { dropMessage, maildropDirectory, messageName } from '../store/drop-message.ts';
import { openStore } from '../store/sqlite/open.ts';
import { startWorld, type World } from '../testing/world.ts';

const ann = 'ann@example.com';

let world: World<'example.com'> | undefined;
afterEach(() => world?.[Symbol.asyncDispose]());

async function start(settings: object = {}) {
  world = await startWorld({
    servers: {
      'example.com': {
        accounts: { [ann]: 'secret' },
        settings: { sendmail: { domain: 'example.com', ...settings } },
      },
    },
  });
  const server = world.servers['example.com'];
  const { dataDir, file } = server.config;
  const call = async (words: string, input = 'Subject: x\n\nhello\n') => {
    const said: string[] = [];
    const terminal: Terminal = {
      ...{ env: {}, cwd: '/', outIsTty: false, inIsTty: false },
      out: (text) => said.push(text),
      err: (text) => said.push(text),
      readInput: async () => Buffer.from(input),
      askSecret: () => Promise.reject(new Error('not here')),
      stopSignal: () => new AbortController().signal,
      onSignal: () => () => undefined,
    };
    const args = ['-C', file, ...words.split(' ')];
    return {
      code: await sendmail(args, terminal, () => Promise.reject(new Error('not here'))),
      said: said.join(''),
    };
  };
  return { server, call, dataDir, maildrop: maildropDirectory(dataDir) };
}

test('what the server has taken is in its queue when the command ends, and needs no maildrop', async () => {
  const { server, call, maildrop } = await start();
  const { code, said } = await call(`-i -v ${ann}`, 'Subject: one\nBcc: x@example.net\n\nhello\n');
  expect({ code, said }).toEqual({
    code: 0,
    said: expect.stringMatching(/^Taken as [0-9A-HJKMNP-TV-Z]{14}\n$/),
  });
  const [letter = ''] = await server.inbox(ann, 1);
  expect(letter).toContain('Subject: one');
  expect(letter).not.toMatch(/^Bcc/m);
  expect(existsSync(maildrop)).toBe(false);
});

test('what nobody gets has an exit code and a reason at once, and no notice', async () => {
  const { server, call, dataDir } = await start({ trusted: [] });
  expect(await call('nobody@example.com')).toEqual({
    code: 67,
    said: 'sendmail: not sent: 550 5.1.1 No such user here: <nobody@example.com>\n',
  });
  expect(await call(`-f a@example.net ${ann}`)).toMatchObject({
    code: 77,
    said: expect.stringContaining('may not send as a@example.net'),
  });
  expect(await call('a@@example.org')).toMatchObject({
    code: 65,
    said: expect.stringContaining('"a@@example.org" is no address'),
  });
  expect(await call(`${ann}`, `Subject: ${'x'.repeat(300_000)}\n\nhello\n`)).toMatchObject({
    code: 69,
    said: expect.stringContaining('552 5.3.4'),
  });
  expect(await call(`${ann} nobody@example.com`, 'Subject: to one of two\n\nhello\n')).toEqual({
    code: 67,
    said:
      'sendmail: not sent to nobody@example.com: 550 5.1.1 No such user here: <nobody@example.com>\n' +
      'sendmail: The other recipients get it: do not send it to them again.\n',
  });
  const letters = await server.inbox(ann, 1);
  expect(letters.map((letter) => /^Subject: (.*)\r$/m.exec(letter)?.[1])).toEqual(['to one of two']);
  await server.stop();
  const store = await openStore({ dataDir });
  expect(await store.listMemos('hand-in-refusals')).toEqual([]); // it has been told
  await store.close();
});

test('the same message by both ways, or twice at a time, arrives once', async () => {
  const { server, call, maildrop } = await start({ enabled: true });
  const message = {
    name: messageName(),
    envelope: { recipients: [ann] },
    content: Buffer.from('Subject: once\r\n\r\nhello\r\n'),
  };
  const handIn = () =>
    server.withAdmin((admin) => admin.handIn({ ...message, uid: process.getuid?.() ?? 0 }));
  const [first, second] = await Promise.all([
    handIn(),
    handIn(),
    dropMessage(maildrop, message.name, message),
  ]);
  expect(first).toMatchObject({ kind: 'taken', refused: [] });
  expect(second).toEqual(first);
  await expect.poll(() => readdirSync(maildrop), { timeout: 20_000 }).toEqual([]);
  await server.inbox(ann, 1);
  expect(await handIn()).toEqual(first);
  expect(await call(ann, 'Subject: another\n\nhello\n')).toMatchObject({ code: 0 });
  const letters = await server.inbox(ann, 2);
  expect(letters.map((letter) => /^Subject: (.*)\r$/m.exec(letter)?.[1]).sort()).toEqual(['another', 'once']);
});

test('who was refused is told again by the socket, and by letter where the answer was not heard', async () => {
  const { server, maildrop } = await start({ enabled: true });
  const message = {
    name: messageName(),
    envelope: { from: ann, recipients: [ann, 'nobody@example.com', 'none@example.com'] },
    content: Buffer.from('Subject: to one of three\r\n\r\nhello\r\n'),
  };
  const handIn = () =>
    server.withAdmin((admin) => admin.handIn({ ...message, uid: process.getuid?.() ?? 0 }));
  const first = await handIn();
  expect(first).toMatchObject({
    kind: 'taken',
    refused: [{ recipient: 'nobody@example.com' }, { recipient: 'none@example.com' }],
  });
  expect(await handIn()).toEqual(first);
  await server.stop();
  await server.start(); // nothing of it was in memory alone
  await dropMessage(maildrop, message.name, message);
  const letters = await server.inbox(ann, 2);
  await expect.poll(() => readdirSync(maildrop), { timeout: 20_000 }).toEqual([]);
  const notices = letters.filter((letter) => letter.includes('Subject: Not sent'));
  expect(notices).toEqual([
    expect.stringMatching(/No such user here: <nobody@[\s\S]*No such user here: <none@/),
  ]);
  await dropMessage(maildrop, message.name, message);
  await expect.poll(() => readdirSync(maildrop), { timeout: 20_000 }).toEqual([]);
  expect(await server.inbox(ann, 2)).toHaveLength(2);
});

test('a server that goes away before it has answered: the maildrop has it, or it is said', async () => {
  const { server, call, dataDir, maildrop } = await start({ enabled: true });
  await server.stop();
  const deaf = createServer((socket) => socket.once('data', () => socket.destroy()));
  await new Promise<void>((resolve) => deaf.listen(join(dataDir, controlSocketName), resolve));
  expect(await call(ann, 'Subject: not lost\n\nhello\n')).toEqual({ code: 0, said: '' });
  expect(readdirSync(maildrop)).toHaveLength(1);
  await new Promise((resolve) => deaf.close(resolve));
  await server.start();
  expect((await server.inbox(ann, 1)).join()).toContain('Subject: not lost');
});

test('a server whose disk fails may have the message all the same: it goes to the maildrop under its name', async () => {
  const { server, call, dataDir, maildrop } = await start({ enabled: true });
  await server.stop();
  const told: string[] = [];
  const failing = createServer((socket) =>
    socket.once('data', (octets) => {
      told.push(/new-[\w.]+/.exec(octets.toString())?.[0] ?? '');
      socket.end(encodeFrame({ value: { error: { code: 'disk', message: 'The commit was not synced' } } }));
    }),
  );
  await new Promise<void>((resolve) => failing.listen(join(dataDir, controlSocketName), resolve));
  expect(await call(ann)).toEqual({ code: 0, said: '' });
  expect(readdirSync(maildrop)).toEqual(told);
  rmSync(maildrop, { recursive: true });
  expect(await call(ann)).toEqual({ code: 75, said: 'sendmail: The commit was not synced\n' });
  await new Promise((resolve) => failing.close(resolve));
});

test('where there is no maildrop, a broken connection is a failure for now, and no server one to mend', async () => {
  const { server, call, dataDir } = await start();
  await server.stop();
  expect(await call(ann)).toMatchObject({
    code: 69,
    said: expect.stringContaining('Set [sendmail] enabled = true'),
  });
  const deaf = createServer((socket) => socket.once('data', () => socket.destroy()));
  await new Promise<void>((resolve) => deaf.listen(join(dataDir, controlSocketName), resolve));
  expect(await call(ann)).toMatchObject({
    code: 75,
    said: expect.stringContaining('went away before it answered'),
  });
  await new Promise((resolve) => deaf.close(resolve));
});

test('a server that does not answer is not waited for without end', async () => {
  const { server, dataDir } = await start();
  await server.stop();
  const deaf = createServer((socket) => socket.resume());
  const path = join(dataDir, controlSocketName);
  await new Promise<void>((resolve) => deaf.listen(path, resolve));
  const request = {
    name: messageName(),
    uid: process.geteuid?.() ?? 0,
    envelope: { recipients: [ann] },
    content: Buffer.from('Subject: x\r\n\r\nhello\r\n'),
  };
  expect(await handOver(path, request, 50)).toEqual({
    unheard: expect.stringContaining('has not done it within'),
  });
  await new Promise((resolve) => deaf.close(resolve));
});

test('a server that hangs, and has more commands waiting than the system lets wait, leaves it to the maildrop', async () => {
  const { server, call, dataDir, maildrop } = await start({ enabled: true });
  await server.stop();
  const path = join(dataDir, controlSocketName);
  const hanging = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
    require('node:net').createServer().listen({ path: workerData, backlog: 1 }, () => {
      parentPort.postMessage('listens');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`,
    { eval: true, workerData: path },
  );
  await once(hanging, 'message');
  const waiting = Array.from({ length: 3 }, () => createConnection(path).on('error', () => undefined));
  expect(await call(ann)).toEqual({ code: 0, said: '' });
  expect(readdirSync(maildrop)).toHaveLength(1);
  for (const socket of waiting) socket.destroy();
  await hanging.terminate();
});

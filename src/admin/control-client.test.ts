import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connectControl } from '../net/control-socket.ts';
import { StoreBrokenError, StoreFullError } from '../store/errors.ts';
import { adminStage, someHash } from '../testing/admin-stage.ts';
import { createLog } from '../util/log.ts';
import type { Admin } from './admin.ts';
import type { AdminErrorCode } from './admin-error.ts';
import { remoteAdmin } from './control-client.ts';
import { type ControlServer, startControlServer } from './control-server.ts';
import { localAdmin } from './local-admin.ts';
import type { SendResult } from './shapes/server.ts';

const stage = adminStage();
const hash = someHash;
const log = createLog('silent');

const failure = (code: AdminErrorCode) => expect.objectContaining({ name: 'AdminError', code });

describe('the control socket', () => {
  let server: ControlServer;
  let path: string;
  let remote: Admin;

  async function connect(): Promise<Admin> {
    const admin = await remoteAdmin(path);
    if (admin === undefined) throw new Error('nobody listens');
    return admin;
  }

  beforeEach(async () => {
    path = join(stage.directory.dataDir, 'control.sock');
    server = await startControlServer({
      path,
      admin: () => stage.local,
      maxContentBytes: () => 2 ** 20,
      log,
    });
    remote = await connect();
  });

  afterEach(async () => {
    await remote.close();
    await server.stop();
  });

  test('remoteAdmin() does everything that the server can do', async () => {
    await remote.importAccounts({
      accounts: [
        { address: 'a@example.com', hash },
        { address: 'b@example.com', password: 'x' },
      ],
    });
    await remote.setPassword({ address: 'a@example.com', password: 'new' });
    await remote.setAlias({ address: 'c@example.com', targets: ['a@example.com'] });
    await remote.removeAccount({ address: 'b@example.com' });
    expect(await remote.listAccounts()).toMatchObject([{ address: 'a@example.com' }]);
    expect(await remote.listAliases()).toEqual([{ address: 'c@example.com', targets: ['a@example.com'] }]);
    expect(await remote.listQueue({ limit: 10 })).toEqual({ jobs: [] });
    const selection = { domain: 'example.org', site: 'mx.example.org', state: 'held' as const };
    expect(await remote.countQueue(selection)).toEqual({ waiting: 0, held: 0, underway: 0 });
    for (const kind of ['retry', 'hold', 'release', 'drop', 'bounce'] as const)
      expect(await remote.orderQueue({ selection, order: { kind }, by: 'root' })).toEqual({ jobs: [] });
    const elsewhere = { kind: 'redirect', to: 'a@example.com' } as const;
    expect(await remote.orderQueue({ selection, order: elsewhere, by: 'root' })).toEqual({ jobs: [] });
    const suspended = await remote.suspend({ scope: 'site', name: 'MX.example.org', by: 'root' });
    expect(suspended).toMatchObject({ scope: 'site', name: 'mx.example.org', by: 'root' });
    expect(await remote.listSuspensions()).toEqual([suspended]);
    expect(await remote.resume({ scope: 'site', name: 'mx.example.org', by: 'root' })).toEqual({
      resumed: true,
    });
    expect(await remote.resume({ scope: 'site', name: 'mx.example.org', by: 'root' })).toEqual({
      resumed: false,
    });
    expect(await remote.trace({ subject: 'a@example.com', limit: 1 })).toEqual([]);
    expect(stage.calls).toEqual(
      expect.arrayContaining(['wake', 'suspend mx.example.org', 'suspend ', 'look']),
    );
  });

  test('M11: remoteAdmin() checks an address, unless that is asked for too often', async () => {
    expect(await remote.checkAddress({ address: 'a@example.org' })).toMatchObject({ verdict: 'cannot tell' });
    expect(stage.calls).toEqual(['check a@example.org']);
    await expect(remote.checkAddress({ address: 'often@example.org' })).rejects.toEqual(failure('too-many'));
    await expect(localAdmin(stage.parts()).checkAddress({ address: 'a@example.org' })).rejects.toEqual(
      failure('no-server'),
    );
  });

  test('remoteAdmin() hands over a message byte for byte, whatever its size', async () => {
    const content = Buffer.alloc(2 ** 20, 'line\r\n');
    let received: Buffer | undefined;
    stage.running.submit = async (_from, _recipients, bytes) => {
      received = bytes;
      return { queueId: 'Q', refused: [] };
    };
    expect(await remote.send({ from: '', recipients: ['b@example.org'], content })).toEqual({
      queueId: 'Q',
      refused: [],
    });
    expect(received?.equals(content)).toBe(true);
  });

  test('remoteAdmin() carries errors over, and goes on', async () => {
    await expect(remote.removeAccount({ address: 'x@example.com' })).rejects.toEqual(
      failure('no-such-account'),
    );
    expect(await remote.listAccounts()).toEqual([]);
  });

  test('remoteAdmin() answers requests that were made at once in their order', async () => {
    const [first, accounts] = await Promise.all([
      remote.addAccount({ address: 'a@example.com', hash }),
      remote.listAccounts(),
    ]);
    expect(first).toBeUndefined();
    expect(accounts).toHaveLength(1);
  });

  test('the server refuses requests that it does not understand', async () => {
    const connection = await connectControl(path);
    await connection?.write(
      Buffer.from('{"operation":"close","request":{}}\n{"operation":"trace","request":{}}\nGET / HTTP/1.1\n'),
    );
    const answers: Buffer[] = [];
    for await (const chunk of connection?.chunks ?? []) answers.push(chunk);
    const lines = Buffer.concat(answers)
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toHaveLength(3);
    for (const { error } of lines) expect(error).toMatchObject({ code: 'bad-request' });
  });

  test('a bug in an operation is told as one, and the server goes on', async () => {
    stage.running.submit = () => Promise.reject(new TypeError('oops'));
    const letter = { from: '', recipients: ['b@example.org'], content: Buffer.from('x') };
    await expect(remote.send(letter)).rejects.toEqual(failure('internal'));
    expect(await remote.listAccounts()).toEqual([]);
  });

  test.each([
    ['a full store', new StoreFullError('no space left'), 'is full. Make room there'],
    ['a full spool', Object.assign(new Error('write'), { code: 'ENOSPC' }), 'is full. Make room there'],
    ['a disk that fails', new StoreBrokenError('fsync failed'), 'fsync failed. The server stops. Look at'],
  ])('%s is told as trouble with the disk, not as a bug', async (_, error, text) => {
    stage.running.submit = () => Promise.reject(error);
    const letter = { from: '', recipients: ['b@example.org'], content: Buffer.from('x') };
    await expect(remote.send(letter)).rejects.toMatchObject({
      code: 'disk',
      message: expect.stringContaining(text),
    });
  });

  test('the socket file is for its owner only, and a second server is refused', async () => {
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await expect(
      startControlServer({ path, admin: () => stage.local, maxContentBytes: () => 1, log }),
    ).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
  });

  test('stop() lets a request end that is under way, closes idle connections and removes the file', async () => {
    const { promise, resolve } = Promise.withResolvers<SendResult>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    stage.running.submit = () => {
      begin();
      return promise;
    };
    const sent = remote.send({ from: '', recipients: ['b@example.org'], content: Buffer.from('x') });
    await begun;
    const idle = await connect();
    const stopped = server.stop();
    resolve({ queueId: 'Q', refused: [] });
    expect(await sent).toEqual({ queueId: 'Q', refused: [] });
    await stopped;
    await expect(idle.listAccounts()).rejects.toEqual(failure('connection'));
    expect(await remoteAdmin(path)).toBeUndefined();
  });
});

import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { adminParts } from '../testing/admin.ts';
import { type TemporaryStore, temporaryStore } from '../testing/store.ts';
import { createLog } from '../util/log.ts';
import type { Admin } from './admin.ts';
import { remoteAdmin } from './control-client.ts';
import { type ControlServer, startControlServer } from './control-server.ts';
import { localAdmin } from './local-admin.ts';
import { demandRole, type Role, rolePath } from './roles.ts';

describe('over a socket of a role', () => {
  let sockets: string;
  let directory: TemporaryStore;
  const open: (ControlServer | Admin)[] = [];

  beforeAll(async () => {
    sockets = mkdtempSync(join(tmpdir(), 'posthorn-roles-'));
    directory = await temporaryStore();
  });
  afterAll(async () => {
    await directory[Symbol.asyncDispose]();
    rmSync(sockets, { recursive: true });
  });
  afterEach(async () => {
    for (const each of open.splice(0).toReversed()) await ('stop' in each ? each.stop() : each.close());
  });

  /** By the socket of that role, which belongs to our own group. */
  async function comeBy(role: Role): Promise<Admin> {
    const path = join(sockets, `${role}.sock`);
    const admin = localAdmin(adminParts(directory.store, {}));
    open.push(
      await startControlServer({
        ...{ path, role, group: process.getgid?.() ?? 0, log: createLog('silent') },
        admin: () => admin,
        maxContentBytes: () => 1024,
      }),
    );
    expect(statSync(path).mode & 0o777).toBe(0o660);
    const client = await remoteAdmin(path);
    if (client === undefined) throw new Error('nobody listens');
    open.push(client);
    return client;
  }
  const forbidden = expect.objectContaining({ code: 'forbidden' });
  const bob = 'bob@example.com';

  beforeEach(() => directory.store.addAccounts([{ address: bob, passwordHash: 'x', createdAt: 1 }]));

  test('a viewer looks, and changes nothing', async () => {
    const viewer = await comeBy('viewer');
    expect((await viewer.listAccounts()).map(({ address }) => address)).toEqual([bob]);
    await expect(viewer.suspendAccount({ address: bob })).rejects.toEqual(forbidden);
    await expect(viewer.setPassword({ address: bob, password: 'long enough' })).rejects.toEqual(forbidden);
    expect((await directory.store.findAccount(bob))?.settings).toBeUndefined();
  });

  test('an operator suspends, and makes no account his own', async () => {
    const operator = await comeBy('operator');
    await operator.suspendAccount({ address: bob });
    await operator.resumeAccount({ address: bob });
    await expect(operator.setPassword({ address: bob, password: 'long enough' })).rejects.toEqual(forbidden);
    await expect(operator.addAppPassword({ address: bob, name: 'x', scope: 'both' })).rejects.toEqual(
      forbidden,
    );
    await expect(
      operator.orderQueue({ selection: {}, order: { kind: 'redirect', to: bob }, by: 'x' }),
    ).rejects.toEqual(forbidden);
    expect(await operator.orderQueue({ selection: {}, order: { kind: 'retry' }, by: 'x' })).toMatchObject({
      jobs: [],
    });
  });

  test('an administrator does everything', async () => {
    const admin = await comeBy('admin');
    await admin.setPassword({ address: bob, password: 'long enough' });
  });
});

test('demandRole() says whose it is', () => {
  expect(() => demandRole('viewer', 'reload', {})).toThrow(/it is for operators/);
  expect(() => demandRole('operator', 'orderQueue', { order: { kind: 'redirect' } })).toThrow(/for admins/);
});

test('rolePath() is nowhere where nobody has that role', () => {
  const config = { control: { directory: '/run/x', operators: 'mail' } };
  expect(rolePath(config, 'operator')).toBe('/run/x/operator.sock');
  expect(rolePath(config, 'viewer')).toBeUndefined();
});

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { connectControl } from '../net/control-socket.ts';
import { Pop3Session } from '../pop3/session.ts';
import { Directory } from '../queue/directory.ts';
import { noneRefused } from '../reception/abuse/gate.ts';
import { startExchange } from '../sasl/mechanisms.ts';
import { makeScramKeys } from '../sasl/scram.ts';
import { StoreBrokenError, StoreFullError } from '../store/errors.ts';
import { adminParts } from '../testing/admin.ts';
import { places } from '../testing/schedule-stage.ts';
import {
  changeAllJobs,
  sampleJob,
  sampleMessage,
  type TemporaryStore,
  temporaryStore,
} from '../testing/store.ts';
import { createLog } from '../util/log.ts';
import type { Admin } from './admin.ts';
import { AdminError, type AdminErrorCode } from './admin-error.ts';
import { remoteAdmin } from './control-client.ts';
import { type ControlServer, startControlServer } from './control-server.ts';
import { maxPasswordBytes } from './credentials.ts';
import { type LocalAdminParts, localAdmin } from './local-admin.ts';
import type { Running } from './running.ts';
import type { SendResult } from './shapes/server.ts';

const domains = [{ name: 'example.com' }, { name: 'xn--bcher-kva.example' }];
const hash = '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA';
const log = createLog('silent');

let directory: TemporaryStore;
const quietSite = { limits: places(3), allowed: 3, active: 0, waiting: 0, proven: true };

let calls: string[];
let remembered: Directory;
let running: Running;
let local: Admin;

beforeAll(async () => {
  directory = await temporaryStore();
});
afterAll(() => directory[Symbol.asyncDispose]());

beforeEach(() => {
  calls = [];
  remembered = new Directory({ store: directory.store, domains });
  vi.spyOn(remembered, 'forget').mockImplementation(() => void calls.push('changed'));
  running = {
    submit: async (from, recipients, content) => {
      if (recipients.includes('nobody@example.com')) throw new AdminError('refused', 'No such user here');
      calls.push(`${from} → ${recipients.join()}: ${content.length}`);
      return { queueId: 'Q', refused: [] };
    },
    checkAddress: async (address) => {
      if (address === 'often@example.org') throw new AdminError('too-many', 'Ask again in 5 min.');
      calls.push(`check ${address}`);
      const [steps, dialogue] = [[], []];
      return { address, verdict: 'cannot tell', why: '', steps, dialogue, checkedAt: 1, durationMs: 2 };
    },
    outlookOf: async ({ destination }) => ({ ...quietSite, site: `site of ${destination}` }),
    concurrency: 7,
    receiversForgotten: (site) => calls.push(`forget ${site ?? 'all'}`),
    lookAtSources: async () => [],
    endSessions: () => undefined,
    accountsChanged: () => undefined,
    abuseCounts: () => ({ since: 1, refused: noneRefused, delayed: 2, remembered: 3 }),
    forgiven: (network) => calls.push(`forgiven ${network}`),
    look: (all) => calls.push(all ? 'wake' : 'look'),
    withhold: async () => () => undefined,
    inLine: () => [],
    suspend: async (suspensions) => void calls.push(`suspend ${suspensions.map(({ name }) => name).join()}`),
  };
  local = localAdmin(parts({ running }));
});

afterEach(async () => {
  for (const { address } of await directory.store.listAccounts()) await directory.store.eraseAccount(address);
  for (const { address } of await directory.store.listAliases())
    await directory.store.setAlias({ address, targets: [] });
});

const parts = (more: Partial<LocalAdminParts> = {}): LocalAdminParts =>
  adminParts(directory.store, { directory: remembered, ...more });

const failure = (code: AdminErrorCode) => expect.objectContaining({ name: 'AdminError', code });

describe('localAdmin()', () => {
  test('addAccount() takes a password or a hash, in one spelling of the address', async () => {
    await local.addAccount({ address: 'Alice@EXAMPLE.com', password: 'secret' });
    await local.addAccount({ address: 'bob@bücher.example', hash });
    expect((await local.listAccounts()).map(({ address }) => address).sort()).toEqual([
      'alice@example.com',
      'bob@xn--bcher-kva.example',
    ]);
    const alice = await directory.store.findAccount('alice@example.com');
    expect(alice?.passwordHash).toMatch(/^\$argon2id\$/);
    // For clients that prove the password without sending it; of a hash there are none to be had.
    expect(await makeScramKeys('secret', alice?.scramKeys?.salt)).toEqual(alice?.scramKeys);
    expect((await directory.store.findAccount('bob@xn--bcher-kva.example'))?.scramKeys).toBeUndefined();
    expect(calls).toEqual(['changed', 'changed']);
  });

  test('setAlias() makes a mailing list only with an owner who can hear of its errors', async () => {
    await local.addAccount({ address: 'olga@example.com', hash });
    const address = 'club@example.com';
    const asList = (owner: string, name?: string) =>
      local.setAlias({
        ...{ address, targets: ['x@example.org'] },
        list: { owner, post: 'members', ...(name !== undefined && { name }) },
      });
    await asList('Olga@example.com', 'The Club');
    expect(await local.listAliases()).toEqual([
      {
        address,
        targets: ['x@example.org'],
        list: { owner: 'olga@example.com', post: 'members', name: 'The Club' },
      },
    ]);
    await expect(asList(address)).rejects.toThrow(/loop/);
    await expect(asList('x@example.net')).rejects.toEqual(failure('not-our-domain'));
    await expect(asList('nobody@example.com')).rejects.toEqual(failure('no-such-account'));
    await expect(asList('olga@example.com', 'Zoë')).rejects.toThrow(/one line of ASCII/);
  });

  test('listReceivers() and resetReceivers() show and forget what was learned, here and in the running server', async () => {
    const learned = (site: string, source: string) => ({
      ...{ kind: 'receiver', key: `${site} from ${source}` },
      value: { site, source, waitsMs: [60_000], learnedAt: 1 },
    });
    const memos = [learned('a', '192.0.2.1'), learned('a', '192.0.2.2'), learned('b', '192.0.2.1')];
    await directory.store.writeMemos([...memos, { kind: 'receiver', key: 'x', value: 5 }]);
    expect((await local.listReceivers()).map(({ site }) => site)).toEqual(['a', 'a', 'b']);
    expect(await local.resetReceivers({ site: 'a' })).toEqual({ count: 2 });
    expect(await local.listReceivers()).toEqual([memos[2]?.value]);
    expect(await local.resetReceivers({})).toEqual({ count: 1 });
    expect(calls).toEqual(['forget a', 'forget all']);
  });

  test.each([
    ['an address elsewhere', { address: 'a@example.org', password: 'x' }, 'not-our-domain'],
    ['no address', { address: 'alice', password: 'x' }, 'bad-request'],
    ['an empty password', { address: 'a@example.com', password: '' }, 'bad-request'],
    ['no password', { address: 'a@example.com' }, 'bad-request'],
    ['a password with a NUL', { address: 'a@example.com', password: 'a\0b' }, 'bad-request'],
    [
      'too long a password',
      { address: 'a@example.com', password: 'x'.repeat(maxPasswordBytes + 1) },
      'bad-request',
    ],
    ['a hash of another kind', { address: 'a@example.com', hash: '$2b$10$abc' }, 'bad-request'],
  ] as const)('addAccount() refuses %s', async (_, account, code) => {
    await expect(local.addAccount(account)).rejects.toEqual(failure(code));
    expect(await local.listAccounts()).toEqual([]);
  });

  test('addAccount() takes the longest password that both SASL and POP3 can carry', async () => {
    const password = 'x'.repeat(maxPasswordBytes);
    await local.addAccount({ address: 'a@example.com', password });
    const plain = Buffer.from(`\0a@example.com\0${password}`).toString('base64');
    expect(startExchange('PLAIN')?.step(plain)).toMatchObject({ claim: { password } });
    const pop3 = new Pop3Session({
      hostname: 'pop.example.com',
      startTls: false,
      allowPlaintextAuth: true,
      mechanisms: ['PLAIN'],
    });
    pop3.next();
    pop3.reply({ kind: 'ok' });
    pop3.receive(Buffer.from(`USER a@example.com\r\nPASS ${password}\r\n`));
    expect(pop3.next()).toMatchObject({ type: 'login', claim: { password } });
  });

  test('addAccount() leaves an account alone that exists', async () => {
    await local.addAccount({ address: 'a@example.com', hash });
    await expect(local.addAccount({ address: 'A@example.com', password: 'other' })).rejects.toEqual(
      failure('exists'),
    );
    expect((await directory.store.findAccount('a@example.com'))?.passwordHash).toBe(hash);
  });

  test('importAccounts() has accounts looked up anew also where the store failed in between', async () => {
    const addAccounts = () => Promise.reject(new Error('the disk is gone'));
    const failing = localAdmin(parts({ store: { ...directory.store, addAccounts }, running }));
    const asked = failing.importAccounts({ accounts: [{ address: 'a@example.com', hash }] });
    await expect(asked).rejects.toThrow('the disk is gone');
    expect(calls).toEqual(['changed']);
  });

  test('importAccounts() adds all that are new, or none where one is bad', async () => {
    await local.addAccount({ address: 'a@example.com', hash });
    const good = { address: 'b@example.com', hash };
    await expect(
      local.importAccounts({ accounts: [good, { address: 'c@example.org', hash }] }),
    ).rejects.toEqual(failure('not-our-domain'));
    await local.setAlias({ address: 'info@example.com', targets: ['a@example.com'] });
    // Mail for it would go where the alias leads, or be taken for a bounce that comes back.
    for (const address of ['info@example.com', 'SRS0=abcd=xy=example.org=ann@example.com'])
      await expect(local.importAccounts({ accounts: [good, { address, hash }] })).rejects.toThrow(
        /is an alias|rewritten return path/,
      );
    expect(await local.listAccounts()).toHaveLength(1);
    const result = await local.importAccounts({ accounts: [{ address: 'a@example.com', hash }, good] });
    expect(result).toEqual({ added: 1, existing: ['a@example.com'] });
  });

  test('setPassword() and removeAccount() say that there is no such account', async () => {
    await expect(local.setPassword({ address: 'x@example.com', password: 'y' })).rejects.toEqual(
      failure('no-such-account'),
    );
    await expect(local.removeAccount({ address: 'x@example.com' })).rejects.toEqual(
      failure('no-such-account'),
    );
  });

  test('setAlias() takes local and remote targets, and refuses what leads nowhere or in a circle', async () => {
    await local.addAccount({ address: 'bob@example.com', hash });
    await local.setAlias({
      address: 'info@example.com',
      targets: ['Bob@example.com', 'Far.Away@example.org'],
    });
    await local.setAlias({ address: 'sales@example.com', targets: ['info@example.com'] });
    expect(await local.listAliases()).toEqual([
      { address: 'info@example.com', targets: ['bob@example.com', 'Far.Away@example.org'] },
      { address: 'sales@example.com', targets: ['info@example.com'] },
    ]);
    const alias = (address: string, target: string) => local.setAlias({ address, targets: [target] });
    await expect(alias('info@example.com', 'sales@example.com')).rejects.toThrow(/loop/);
    await expect(alias('self@example.com', 'self@example.com')).rejects.toThrow(/loop/);
    for (let index = 10; index > 0; index -= 1)
      await alias(`c${index}@example.com`, index === 10 ? 'bob@example.com' : `c${index + 1}@example.com`);
    await expect(alias('c0@example.com', 'c1@example.com')).rejects.toThrow(/more than 10 addresses/);
    await expect(alias('SRS0=x@example.com', 'bob@example.com')).rejects.toThrow(/rewritten/);
    await expect(alias('x@example.com', 'nobody@example.com')).rejects.toEqual(failure('no-such-account'));
    await expect(alias('bob@example.com', 'x@example.org')).rejects.toEqual(failure('exists'));
    await expect(local.addAccount({ address: 'info@example.com', hash })).rejects.toEqual(failure('exists'));
    await local.removeAlias({ address: 'sales@example.com' });
    await expect(local.removeAlias({ address: 'sales@example.com' })).rejects.toEqual(
      failure('no-such-alias'),
    );
  });

  test('P14: trace() finds a message by queue id, by Message-ID with and without brackets, and by address', async () => {
    const queueId = '01JRMGQ4TQ0A1B';
    const data = {
      via: 'smtp',
      from: 'a@example.org',
      to: ['b@example.com'],
      sizeBytes: 1,
      messageId: '<m@example.org>',
    };
    await directory.store.appendEvents([{ at: 1, queueId, event: 'accepted', data }]);
    for (const subject of [
      queueId,
      queueId.toLowerCase(),
      '<m@example.org>',
      'm@example.org',
      'B@example.com',
    ]) {
      expect(await local.trace({ subject, limit: 1 }), subject).toMatchObject([
        { queueId, event: 'accepted' },
      ]);
    }
    expect(await local.trace({ subject: 'unknown', limit: 1 })).toEqual([]);
  });

  test('send() needs a running server, and tells why it refused', async () => {
    const content = Buffer.from('x');
    await expect(
      localAdmin(parts()).send({ from: 'a@example.com', recipients: ['b@example.org'], content }),
    ).rejects.toEqual(failure('no-server'));
    await expect(local.send({ from: '', recipients: ['nobody@example.com'], content })).rejects.toEqual(
      failure('refused'),
    );
  });
});

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
    path = join(directory.dataDir, 'control.sock');
    server = await startControlServer({ path, admin: () => local, maxContentBytes: () => 2 ** 20, log });
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
    expect(calls).toEqual(expect.arrayContaining(['wake', 'suspend mx.example.org', 'suspend ', 'look']));
  });

  test('M11: remoteAdmin() checks an address, unless that is asked for too often', async () => {
    expect(await remote.checkAddress({ address: 'a@example.org' })).toMatchObject({ verdict: 'cannot tell' });
    expect(calls).toEqual(['check a@example.org']);
    await expect(remote.checkAddress({ address: 'often@example.org' })).rejects.toEqual(failure('too-many'));
    await expect(localAdmin(parts()).checkAddress({ address: 'a@example.org' })).rejects.toEqual(
      failure('no-server'),
    );
  });

  test('remoteAdmin() hands over a message byte for byte, whatever its size', async () => {
    const content = Buffer.alloc(2 ** 20, 'line\r\n');
    let received: Buffer | undefined;
    running.submit = async (_from, _recipients, bytes) => {
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
    running.submit = () => Promise.reject(new TypeError('oops'));
    const letter = { from: '', recipients: ['b@example.org'], content: Buffer.from('x') };
    await expect(remote.send(letter)).rejects.toEqual(failure('internal'));
    expect(await remote.listAccounts()).toEqual([]);
  });

  test.each([
    ['a full store', new StoreFullError('no space left'), 'is full. Make room there'],
    ['a full spool', Object.assign(new Error('write'), { code: 'ENOSPC' }), 'is full. Make room there'],
    ['a disk that fails', new StoreBrokenError('fsync failed'), 'fsync failed. The server stops. Look at'],
  ])('%s is told as trouble with the disk, not as a bug', async (_, error, text) => {
    running.submit = () => Promise.reject(error);
    const letter = { from: '', recipients: ['b@example.org'], content: Buffer.from('x') };
    await expect(remote.send(letter)).rejects.toMatchObject({
      code: 'disk',
      message: expect.stringContaining(text),
    });
  });

  test('the socket file is for its owner only, and a second server is refused', async () => {
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await expect(
      startControlServer({ path, admin: () => local, maxContentBytes: () => 1, log }),
    ).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
  });

  test('stop() lets a request end that is under way, closes idle connections and removes the file', async () => {
    const { promise, resolve } = Promise.withResolvers<SendResult>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    running.submit = () => {
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

describe('outlook()', () => {
  test('P7: tells of each recipient that waits when it may go, how its site stands, and how many go before', async () => {
    const jobs = ['a.example', 'b.example'].map((destination, number) =>
      sampleJob('OUTLOOK', { number, destination, nextAttemptAt: 5000, expiresAt: 9e15 }),
    );
    await directory.store.accept(sampleMessage('OUTLOOK', { jobs }));
    for (const [id, nextAttemptAt] of [
      ['BEFORE', 4000],
      ['BEHIND', 6000],
    ] as const)
      await directory.store.accept(
        sampleMessage(id, {
          jobs: [sampleJob(id, { destination: 'a.example', nextAttemptAt, expiresAt: 9e15 })],
        }),
      );
    const { jobs: found, concurrency } = await local.outlook({ queueId: 'OUTLOOK' });
    expect(concurrency).toBe(7);
    expect(found).toMatchObject([
      { destination: 'a.example', ahead: 1, behind: 1, claimed: false, site: { site: 'site of a.example' } },
      { destination: 'b.example', ahead: 0, behind: 0, nextAttemptAt: 5000 },
    ]);
    const down = localAdmin(parts());
    const without = await down.outlook({ queueId: 'OUTLOOK' });
    expect(without.concurrency).toBeUndefined();
    expect(without.jobs[0]?.site).toBeUndefined();
    await changeAllJobs(directory.store, { kind: 'drop' });
  });
});

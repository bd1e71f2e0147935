import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ControlConnection, connectControl } from '../net/control-socket.ts';
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts';
import { createLog } from '../util/log.ts';
import type { Admin } from './admin.ts';
import { workingEveryMs } from './answer-watch.ts';
import { maxAnswerLine, maxRequestLine } from './control-protocol.ts';
import { type ControlServer, lastAnswerMs, startControlServer } from './control-server.ts';
import { encodeFrame } from './frames.ts';
import type { SendRequest } from './shapes/server.ts';

const maxContentBytes = 1000;

let directory: string;
let clock: FakeClock;
let server: ControlServer;
let connection: ControlConnection;
let logged: { level: number; msg: string }[];
/** What the operations do; all others fail by themselves, as there is no store. */
let admin: Pick<Admin, 'listAccounts' | 'send' | 'beginSnapshot'>;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'posthorn-control-'));
  logged = [];
  admin = {
    listAccounts: async () => [],
    beginSnapshot: async () => ({ id: 'S1', at: 0, leaseMs: 1 }),
    send: async () => ({ queueId: 'Q1', refused: [] }),
  };
  const path = join(directory, 'control.sock');
  const log = createLog('debug', { write: (line) => void logged.push(JSON.parse(line)) });
  clock = fakeClock();
  server = await startControlServer({
    path,
    admin: adminOf,
    maxContentBytes: () => maxContentBytes,
    log,
    clock,
  });
  connection = await connect();
});

afterEach(async () => {
  connection.close();
  await server.stop();
  await rm(directory, { recursive: true });
});

function adminOf(): Admin {
  const none = () => Promise.reject(new Error('not in this test'));
  return {
    addAccount: none,
    handIn: none,
    heardRefusals: none,
    lookAtSources: none,
    reload: none,
    whoRuns: none,
    handOver: none,
    listBans: none,
    tlsStatus: none,
    renewCertificates: none,
    rolloverKey: none,
    revokeCertificate: none,
    listBraked: none,
    releaseAccount: none,
    addBan: none,
    beginSnapshot: (gone) => admin.beginSnapshot(gone),
    renewSnapshot: none,
    endSnapshot: none,
    liftBan: none,
    listReports: none,
    dmarcSummary: none,
    importAccounts: none,
    listAccounts: () => admin.listAccounts(),
    setPassword: none,
    changeSettings: none,
    removeAccount: none,
    suspendAccount: none,
    resumeAccount: none,
    restoreAccount: none,
    listRemovedAccounts: none,
    addAppPassword: none,
    listAppPasswords: none,
    removeAppPassword: none,
    changeSenderList: none,
    listGreylist: none,
    allowGreylist: none,
    removeGreylist: none,
    listSenders: none,
    findSender: none,
    forgetSender: none,
    setAlias: none,
    removeAlias: none,
    listAliases: none,
    trace: none,
    listJudged: none,
    listQueue: none,
    outlook: none,
    listReceivers: none,
    countDelivered: none,
    resetReceivers: none,
    countQueue: none,
    orderQueue: none,
    suspend: none,
    resume: none,
    listSuspensions: none,
    listSuppressions: none,
    findSuppression: none,
    addSuppression: none,
    removeSuppression: none,
    send: (request) => admin.send(request),
    checkAddress: none,
    close: none,
  };
}

async function connect(): Promise<ControlConnection> {
  const found = await connectControl(join(directory, 'control.sock'));
  if (found === undefined) throw new Error('nobody listens');
  return found;
}

/** Everything that the server says until it ends the connection, or until so many answers are there. */
async function answers(most = Number.POSITIVE_INFINITY): Promise<unknown[]> {
  let text = '';
  for await (const chunk of connection.chunks) {
    text += chunk.toString();
    if (text.split('\n').length > most) break;
  }
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
}

const request = (operation: string, content?: Buffer) =>
  encodeFrame({
    value: { operation, request: { from: '', recipients: ['b@example.org'] } },
    ...(content && { content }),
  });

const refusal = (text: string) => ({
  error: { code: 'bad-request', message: expect.stringContaining(text) },
});

describe('startControlServer()', () => {
  test('answers one request after the other, in their order', async () => {
    const { promise: first, resolve: finish } = Promise.withResolvers<void>();
    const begun: string[] = [];
    admin.send = async ({ content }: SendRequest) => {
      begun.push(content.toString());
      if (begun.length === 1) await first;
      return { queueId: content.toString(), refused: [] };
    };
    await connection.write(Buffer.concat(['1', '2'].map((text) => request('send', Buffer.from(text)))));
    await expect.poll(() => begun).toEqual(['1']);
    finish();
    expect(await answers(2)).toEqual([
      { result: { queueId: '1', refused: [] } },
      { result: { queueId: '2', refused: [] } },
    ]);
  });

  test('says every few seconds that it is at work, to whoever wants to hear that', async () => {
    const { promise: done, resolve: finish } = Promise.withResolvers<void>();
    let asked = 0;
    admin.listAccounts = async () => {
      if (++asked === 1) await done;
      return [];
    };
    const value = { operation: 'listAccounts', request: {} };
    await connection.write(encodeFrame({ value: { ...value, tellWorking: true } }));
    await expect.poll(() => asked).toBe(1);
    for (let times = 0; times < 3; times++) clock.advance(workingEveryMs);
    finish();
    expect(await answers(4)).toEqual([...Array(3).fill({ working: true }), { result: [] }]);
    expect(clock.planned).toEqual([]);
  });

  test('says nothing before the answer to a command that does not know it', async () => {
    const { promise: done, resolve: finish } = Promise.withResolvers<void>();
    let asked = 0;
    admin.listAccounts = async () => {
      asked++;
      await done;
      return [];
    };
    await connection.write(request('listAccounts'));
    await expect.poll(() => asked).toBe(1);
    clock.advance(workingEveryMs);
    finish();
    expect(await answers(1)).toEqual([{ result: [] }]);
  });

  test.each(['constructor', '__proto__', 'toString', 'close'])('knows no operation %s', async (name) => {
    await connection.write(request(name));
    expect(await answers(1)).toEqual([refusal('does not know this request')]);
  });

  test('knows no request that is a list', async () => {
    await connection.write(encodeFrame({ value: { operation: 'listAccounts', request: [] } }));
    expect(await answers(1)).toEqual([refusal('does not know this request')]);
  });

  test.each([
    [{ address: 5 }, 'accounts.1.address should be string'],
    [JSON.parse('{"__proto__":{"address":"b@example.org"}}'), 'accounts.1.address is missing'],
  ])('says which field of a request is wrong, and why: %j', async (account, reason) => {
    const accounts = [{ address: 'a@example.org' }, account, {}];
    await connection.write(encodeFrame({ value: { operation: 'importAccounts', request: { accounts } } }));
    expect(await answers(1)).toEqual([refusal(reason)]);
  });

  test('takes content up to its limit, and ends the connection of who sends more', async () => {
    const atMost = request('send', Buffer.alloc(maxContentBytes));
    await connection.write(Buffer.concat([atMost, request('send', Buffer.alloc(maxContentBytes + 1))]));
    expect(await answers()).toEqual([
      { result: { queueId: 'Q1', refused: [] } },
      refusal('1001 octets of content are over the limit of 1000'),
    ]);
  });

  test('ends the connection of who sends an endless line', async () => {
    await connection.write(Buffer.alloc(maxRequestLine + 1, 'x'));
    expect(await answers()).toEqual([refusal('a line is longer than')]);
  });

  test('tells who asked for too much so, and goes on', async () => {
    admin.listAccounts = async () => [
      { address: 'x'.repeat(maxAnswerLine), createdAt: 0, hasScramKeys: true },
    ];
    await connection.write(Buffer.concat([request('listAccounts'), request('send', Buffer.from('x'))]));
    expect(await answers(2)).toEqual([
      refusal('The answer is too long'),
      { result: { queueId: 'Q1', refused: [] } },
    ]);
  });

  test('stop() waits only so long for a client that does not read its answer', async () => {
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    admin.listAccounts = async () => {
      begin();
      return [{ address: 'x'.repeat(maxAnswerLine / 2), createdAt: 0, hasScramKeys: true }];
    };
    await connection.write(request('listAccounts'));
    await begun;
    const stopped = server.stop();
    expect(clock.planned).toEqual([clock.now() + lastAnswerMs]);
    clock.advance(lastAnswerMs);
    await stopped;
    expect(clock.planned).toEqual([]);
  });

  test('tells who holds something for a client that the client has gone', async () => {
    let signal: AbortSignal | undefined;
    admin.beginSnapshot = async (gone) => {
      signal = gone;
      return { id: 'S1', at: 0, leaseMs: 1 };
    };
    await connection.write(request('beginSnapshot'));
    await expect.poll(() => signal?.aborted).toBe(false);
    connection.close();
    await expect.poll(() => signal?.aborted).toBe(true);
  });

  test('does what was asked although the client has vanished, and can be stopped', async () => {
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const { promise: done, resolve: finish } = Promise.withResolvers<void>();
    let finished = false;
    admin.send = async () => {
      begin();
      await done;
      finished = true;
      return { queueId: 'Q1', refused: [] };
    };
    await connection.write(request('send', Buffer.from('x')));
    await begun;
    connection.close();
    const stopped = server.stop();
    finish();
    await stopped;
    expect(finished).toBe(true);
    expect(logged.filter(({ level }) => level >= 40)).toEqual([]);
  });
});

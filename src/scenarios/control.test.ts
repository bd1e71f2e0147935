import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { openAdmin } from '../admin/open-admin.ts';
import { suspensionKind } from '../queue/suspensions.ts';
import { reply } from '../smtp/reply.ts';
import { openStore } from '../store/sqlite/open.ts';
import type { Store } from '../store/store.ts';
import { type CommandResult, runCommand } from '../testing/command-line.ts';
import { eventually } from '../testing/eventually.ts';
import { mailTo, serverAndReceiver } from '../testing/server-and-receiver.ts';
import { sampleJob, sampleMessage } from '../testing/store.ts';
import { systemClock } from '../util/clock.ts';
import { firstIdAt } from '../util/queue-id.ts';

const hour = 3600_000;
const ann = 'ann@example.com';
const colleague = 'colleague@example.com';
const strangers = '127.0.0.25';

const scene = serverAndReceiver({
  strangers,
  accounts: [ann, colleague],
  dns: mailTo(strangers, 'example.net', 'solo.example'),
});

const server = () => scene.server;

/** What a shell on the machine runs; it must not fail. */
async function posthorn(...args: string[]): Promise<CommandResult> {
  const result = await runCommand(args, {
    cwd: join(scene.world.directory, 'example.com'),
    env: { SUDO_USER: 'op' },
  });
  expect(result, args.join(' ')).toMatchObject({ exitCode: 0, err: '' });
  return result;
}

const json = async (...args: string[]) => JSON.parse((await posthorn(...args, '--json')).out);

const waiting = async (...filter: string[]): Promise<{ queueId: string; attempts: number }[]> =>
  json('queue', 'list', '--all', ...filter);

/** Works on the store while the server is down. */
async function offline(work: (store: Store) => Promise<unknown>): Promise<void> {
  await server().stop();
  const store = await openStore({ dataDir: server().config.dataDir });
  try {
    await work(store);
  } finally {
    await store.close();
  }
  await server().start();
}

/** Lets what an order withholds go on, and time pass until what is wanted is there. */
const inTime = <T>(look: () => Promise<T | undefined>): Promise<T> =>
  eventually(
    async () => {
      scene.clock.advance(3000);
      return look();
    },
    { timeoutMs: 20_000, explain: async () => JSON.stringify(await waiting()) },
  );

beforeEach(() => {
  scene.receiver.answers.message = reply(451, '4.3.0', 'Not now');
  scene.clock.advance(3000); // what the test before has ordered withholds mail for two seconds more
});

// Each of them starts the server several times.
vi.setConfig({ testTimeout: 60_000 });

interface Letter {
  queueId: string;
  recipient: string;
}

const filters: Record<string, (letter: Letter) => string[]> = {
  id: ({ queueId }) => ['--id', queueId],
  sender: () => ['--sender', ann],
  recipient: ({ recipient }) => ['--recipient', recipient],
  domain: () => ['--domain', 'Solo.example'],
  site: () => ['--site', 'mx.solo.example'],
  age: () => ['--newer-than', '2h'],
};

describe('posthorn queue, with the server running', () => {
  /** Mail that none of the filters means; it was queued three hours ago, by another sender, for another site. */
  const bystander = `${firstIdAt(Date.now() - 3 * hour)}00000`;
  let letters = 0;

  beforeAll(() =>
    offline((store) => {
      const at = Date.now() - 3 * hour;
      const times = { queuedAt: at, nextAttemptAt: at + 96 * hour, expiresAt: at + 120 * hour };
      const job = sampleJob(bystander, { recipient: 'x@example.net', ...times });
      return store.accept(sampleMessage(bystander, { message: { reversePath: colleague }, jobs: [job] }));
    }),
  );

  /** A letter that waits after a first attempt, and how the filter names it. */
  async function submit(filter: string): Promise<Letter & { named: string[] }> {
    const recipient = `friend${++letters}@solo.example`;
    const { queueId = '' } = await server().submit({ from: ann, to: recipient, subject: 'Hello' });
    await server().settled(queueId);
    const letter = { queueId, recipient };
    return { ...letter, named: filters[filter]?.(letter) ?? [] };
  }

  /** Gives an order to a letter, and to that alone; resolves to the events that came of it. */
  async function order(
    kind: string,
    { queueId, recipient, named }: Letter & { named: string[] },
    ...more: string[]
  ) {
    const { changed } = await json('queue', kind, ...named, ...more);
    expect(changed, `${kind} ${named.join(' ')}`).toEqual([{ queueId, recipient }]);
    const events: { event: string; by?: string }[] = await json('trace', queueId);
    return events.filter(({ by }) => by === 'op (by sudo)');
  }

  test.each(Object.keys(filters))(
    'holds, releases, retries, redirects, bounces and drops by %s, and all of it stands in the dossier',
    async (filter) => {
      const first = await submit(filter);
      expect((await waiting(...first.named)).map(({ queueId }) => queueId)).toEqual([first.queueId]);
      expect(await order('hold', first, '--reason', 'legal asks')).toMatchObject([
        { event: 'held', reason: 'legal asks' },
      ]);
      await server().restart();
      expect(await waiting('--state', 'held')).toMatchObject([{ queueId: first.queueId }]);
      expect(await order('release', first)).toMatchObject([{}, { event: 'released' }]);
      await order('retry', first);
      await inTime(async () => (await waiting(...first.named))[0]?.attempts === 2 || undefined);
      const moved = await order('redirect', first, '--to', colleague);
      expect(moved.map(({ event }) => event)).toEqual(['held', 'released', 'retried', 'readdressed']);
      await inTime(async () => (await waiting('--id', first.queueId)).length === 0 || undefined);
      expect((await posthorn('trace', first.queueId)).out).toContain(`${colleague}: sent`);

      const second = await submit(filter);
      const before = (await server().files(ann)).length;
      expect(await order('bounce', second, '--reason', 'closed')).toMatchObject([{ event: 'failed' }]);
      expect((await posthorn('trace', second.queueId)).out).toContain('ended it: op (by sudo)');
      await inTime(async () => (await server().files(ann)).length > before || undefined);

      const third = await submit(filter);
      expect(await order('drop', third, '--reason', 'spam')).toMatchObject([
        { event: 'dropped', reason: 'spam' },
      ]);
      expect(await waiting()).toMatchObject([{ queueId: bystander, attempts: 0 }]);
      expect(await waiting('--older-than', '2h')).toHaveLength(1);
    },
  );

  test('gives an order to five thousand recipients, step by step', async () => {
    const count = 5000;
    const at = Date.now();
    const times = { queuedAt: at, nextAttemptAt: at + 96 * hour, expiresAt: at + 120 * hour };
    await offline(async (store) => {
      const idOf = (number: number) => firstIdAt(at) + String(number).padStart(5, '0');
      const accepting = Array.from({ length: count }, (_, number) => {
        const job = sampleJob(idOf(number), {
          recipient: `u${number}@solo.example`,
          destination: 'solo.example',
          ...times,
        });
        return store.accept(sampleMessage(idOf(number), { jobs: [job] }));
      });
      await Promise.all(accepting);
    });
    const named = ['--site', 'mx.solo.example'];
    expect((await json('queue', 'hold', ...named)).changed).toHaveLength(count);
    expect(await json('queue', 'release', '--all', '--dry-run')).toEqual({ count, underway: 0 });
    await server().restart();
    expect(await waiting('--state', 'held')).toHaveLength(count);
    expect((await json('queue', 'release', ...named)).changed).toHaveLength(count);
    expect((await posthorn('queue', 'drop', '--domain', 'solo.example')).out).toMatch(
      /\n5000 recipients dropped\n$/,
    );
    expect(await waiting()).toHaveLength(1);
    await posthorn('queue', 'drop', '--id', bystander);
  });
});

describe('posthorn queue suspend and resume', () => {
  test.each(['--site mx.solo.example', '--domain solo.example', '--all'])(
    '%s: nothing is tried, over a restart, until it is resumed',
    async (text) => {
      const scope = text.split(' ');
      scene.receiver.answers.message = undefined;
      const { by, at } = await json('queue', 'suspend', ...scope, '--reason', 'moving');
      expect(by).toBe('op (by sudo)');
      expect(at).toBe(scene.clock.now());
      const { queueId = '' } = await server().submit({ from: ann, to: 'friend@solo.example' });
      await server().event(queueId, 'deferred');
      await server().restart();
      scene.clock.advance(1000);
      expect(await json('queue', 'suspend')).toMatchObject([{ reason: 'moving' }]);
      const later = await server().submit({ from: ann, to: 'later@solo.example' });
      await server().event(later.queueId ?? '', 'deferred');
      const suspended = { reason: 'moving' };
      expect(await waiting()).toMatchObject([
        { queueId, suspended },
        { queueId: later.queueId, suspended },
      ]);
      await posthorn('queue', 'resume', ...scope);
      await inTime(async () => (await waiting()).length === 0 || undefined);
      const names = (await json('trace', queueId)).map(({ event }: { event: string }) => event);
      expect(names.filter((name: string) => name !== 'routed' && name !== 'attempted')).toEqual(
        expect.arrayContaining(['deferred', 'resumed', 'delivered']),
      );
    },
  );

  test('a crash in the middle of a resumption leaves nothing waiting for ever', async () => {
    scene.receiver.answers.message = undefined;
    await posthorn('queue', 'suspend', '--domain', 'solo.example');
    const { queueId = '' } = await server().submit({ from: ann, to: 'friend@solo.example' });
    await server().event(queueId, 'deferred');
    // What is held is let go only after this is on disk.
    await offline((store) => store.removeMemos(suspensionKind, ['domain solo.example']));
    await inTime(async () => (await waiting()).length === 0 || undefined);
  });
});

test('a backup that is killed while the store is held for it keeps nobody out', async () => {
  for (let times = 0; times < 3; times++) {
    const killed = await openAdmin(server().config, systemClock);
    const { id } = await killed.beginSnapshot();
    expect(id).not.toBe('');
    await killed.close(); // as the end of its process does
  }
  const into = join(scene.world.directory, 'snapshots');
  expect((await posthorn('backup', into)).out).toMatch(/^Snapshot /);
});

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { reply } from '../smtp/reply.ts';
import { eventually } from '../testing/eventually.ts';
import { serverAndReceiver } from '../testing/server-and-receiver.ts';

const minute = 60_000;
const hour = 60 * minute;
const sender = 'sender@example.com';
const strangers = '127.0.0.83';

const scene = serverAndReceiver({
  strangers,
  accounts: [sender, 'postmaster@example.com'],
  settings: {
    suppression: { enabled: false },
    delivery: {
      permanentFailures: 'never',
      retryMinutes: [20],
      lifetimeHours: 3,
      delayWarningHours: 1,
      scheduleTrace: 'schedule.jsonl',
    },
  },
  dnsTtl: 864_000,
  receiverPerTest: true,
});

const server = () => scene.server;

async function handIn(to: string): Promise<string> {
  const content = Buffer.from(`From: ${sender}\r\nSubject: x\r\n\r\nHello.\r\n`);
  const { queueId } = await server().withAdmin((admin) =>
    admin.send({ from: sender, recipients: [to], content }),
  );
  return queueId;
}

const waiting = async () => (await server().withAdmin((admin) => admin.listQueue({ limit: 100 }))).jobs;

/** Lets time pass, in steps that are shorter than any time-out; after each, waits until what is tried has ended. */
async function pass(durationMs: number): Promise<void> {
  for (const end = scene.clock.now() + durationMs; scene.clock.now() < end; ) {
    scene.clock.advance(20_000);
    await eventually(async () => (await waiting()).every(({ claimed }) => !claimed) || undefined, {
      explain: () => 'an attempt that does not end',
    });
  }
}

/** The kinds of report about a message, in order. */
const reportsOn = async (queueId: string): Promise<string[]> =>
  (await server().trace(queueId)).flatMap((event) => (event.event === 'reported' ? [event.data.kind] : []));

describe('what [delivery] says of retries', () => {
  test('M6: "never": a refusal for good is tried again as retryMinutes says, warned of, and given up in its time', async () => {
    scene.receiver.answers.recipients = { 'gone@example.net': reply(550, '5.1.1', 'No such user') };
    const queueId = await handIn('gone@example.net');
    await server().settled(queueId);
    const { data } = await server().event(queueId, 'deferred');
    expect(data.rule).toBe('5xx, but permanentFailures is "never": try again later');
    expect(Math.abs((data.nextAttemptAt ?? 0) - scene.clock.now() - 20 * minute)).toBeLessThanOrEqual(
      3 * minute + 1000,
    );
    await pass(55 * minute);
    expect(await reportsOn(queueId)).toEqual([]);
    await pass(6 * minute);
    expect(await reportsOn(queueId)).toEqual(['delay']);
    await pass(2 * hour);
    expect(await reportsOn(queueId)).toEqual(['delay', 'failure', 'postmaster']);
    expect(scene.receiver.named.length).toBeGreaterThan(7);
  }, 60_000);

  test('P7: a delay is told of also to those whose mail only waits behind a site that is down', async () => {
    const ids: string[] = [];
    await scene.withoutReceiver(async () => {
      for (let number = 0; number < 12; number++) ids.push(await handIn(`r${number}@example.net`));
      await pass(1.5 * hour);
      for (const queueId of ids) expect(await reportsOn(queueId)).toEqual(['delay']);
      const attempts = (await waiting()).map((job) => job.attempts);
      expect(Math.min(...attempts)).toBe(0); // these were only put off since they came
    });
    await pass(0.5 * hour);
    expect(await waiting()).toEqual([]);
    for (const queueId of ids) expect(await reportsOn(queueId)).toEqual(['delay']);
  }, 60_000);

  test('M7: a site begins with as many connections as it has taken before a restart', async () => {
    await Promise.all(Array.from({ length: 60 }, (_, number) => handIn(`m${number}@example.net`)));
    await eventually(async () => (await waiting()).length === 0 || undefined, {
      explain: () => `${scene.receiver.taken.length} have arrived`,
    });
    await server().restart();
    const queueId = await handIn('last@example.net');
    await server().settled(queueId);
    await server().stop();
    const lines = await readFile(join(scene.world.directory, 'example.com', 'schedule.jsonl'), 'utf8');
    const sites = lines
      .split('\n')
      .flatMap((line) => /^\{"site":.*/.exec(line)?.map((json) => JSON.parse(json)) ?? []);
    const { limits } = sites.find(({ site }) => site.includes('mx.example.net'));
    expect(limits.start).toBeGreaterThan(2);
    expect(limits.start).toBeLessThanOrEqual(limits.connections);
  }, 60_000);
});

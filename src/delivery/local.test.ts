import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDirectAgent } from '../store/delivery-agent.ts';
import { createMaildir, maildirPath } from '../store/maildir.ts';
import { sampleJob, sampleMessage, type TemporaryDirectory, temporaryDirectory } from '../testing/store.ts';
import { type Turnstile, turnstile } from '../util/turnstile.ts';
import { deliverLocally } from './local.ts';

let directory: TemporaryDirectory;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory[Symbol.asyncDispose]());

const parts = (turns = turnstile(2)) => ({
  dataDir: directory.path,
  hostname: 'mx.example.com',
  agent: createDirectAgent(),
  turns,
});
const jobFor = (recipient: string, number = 0) =>
  sampleJob('Q1', { number, kind: 'local', recipient, destination: '', folder: 'Inbox' });

describe('deliverLocally()', () => {
  test('P3: puts Return-Path and Delivered-To in front, and the message into the Maildir', async () => {
    const { message } = sampleMessage('Q1');
    const { outcomes } = await deliverLocally(parts(), message, [jobFor('bob@example.com')]);
    const [outcome] = outcomes;
    const file = outcome?.kind === 'delivered' ? (outcome.file ?? '') : '';
    expect(dirname(file)).toBe(join(maildirPath(directory.path, 'bob@example.com'), 'new'));
    expect(await readFile(file, 'utf8')).toBe(
      'Return-Path: <sender@example.com>\nDelivered-To: bob@example.com\n' +
        'Received: by mx.example.com\nSubject: hello\n\nHello.\n',
    );
  });

  test('duty-2: writes the null sender as it is', async () => {
    const { message } = sampleMessage('Q2', { message: { reversePath: '' } });
    const { outcomes } = await deliverLocally(parts(), message, [jobFor('null@example.com')]);
    const [outcome] = outcomes;
    const file = outcome?.kind === 'delivered' ? (outcome.file ?? '') : '';
    expect(await readFile(file, 'utf8')).toMatch(/^Return-Path: <>\nDelivered-To: null@example\.com\n/);
  });

  test('does not deliver again what an attempt in doubt had delivered', async () => {
    const { message } = sampleMessage('Q1');
    const job = jobFor('twice@example.com');
    const first = await deliverLocally(parts(), message, [job]);
    const second = await deliverLocally(parts(), message, [{ ...job, inDoubt: true }]);
    expect(second.outcomes).toEqual(first.outcomes);
  });

  test('what fails for one holds nobody else up', async () => {
    const blocked = maildirPath(directory.path, 'blocked@example.com');
    await mkdir(dirname(blocked), { recursive: true });
    await writeFile(blocked, 'a file where the Maildir should be');
    await createMaildir(maildirPath(directory.path, 'ann@example.com'));
    const { message } = sampleMessage('Q1');
    const jobs = [jobFor('blocked@example.com'), jobFor('ann@example.com', 1)];
    const { outcomes } = await deliverLocally(parts(), message, jobs);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['deferred', 'delivered']);
  });

  test('writes to so many mailboxes at once, over all messages, and not more', async () => {
    const { enter, leave } = turnstile(3);
    let inside = 0;
    const insides: number[] = [];
    const turns: Turnstile = {
      async enter() {
        const isIn = await enter();
        insides.push(++inside);
        return isIn;
      },
      leave() {
        inside -= 1;
        leave();
      },
    };
    const { message } = sampleMessage('Q1');
    const jobs = Array.from({ length: 10 }, (_, number) => jobFor(`many${number}@example.com`, number));
    const attempts = await Promise.all(
      [jobs.slice(0, 5), jobs.slice(5)].map((some) => deliverLocally(parts(turns), message, some)),
    );
    const kinds = attempts.flatMap(({ outcomes }) => outcomes.map(({ kind }) => kind));
    expect(kinds).toEqual(Array(10).fill('delivered'));
    expect([inside, Math.max(...insides)]).toEqual([0, 3]);
  });
});

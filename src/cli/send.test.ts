import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AdminError } from '../admin/admin-error.ts';
import { startControlServer } from '../admin/control-server.ts';
import { localAdmin } from '../admin/local-admin.ts';
import type { Running } from '../admin/running.ts';
import type { CheckStep } from '../delivery/check/callout.ts';
import type { DossierEvent } from '../dossier/event.ts';
import { noneRefused } from '../reception/abuse/gate.ts';
import { openStore } from '../store/sqlite/open.ts';
import type { Store } from '../store/store.ts';
import { adminParts } from '../testing/admin.ts';
import { commandStage } from '../testing/command-line.ts';
import { changeAllJobs, sampleJob, sampleMessage } from '../testing/store.ts';
import { createLog } from '../util/log.ts';

const stage = commandStage();
const { directory, posthorn } = stage;
afterAll(() => stage[Symbol.dispose]());

describe('posthorn send', () => {
  const queueId = '01JRMGQ4TQ0A1B';
  const endpoint = { host: 'mx.example.net', address: '192.0.2.7', port: 25 };
  let store: Store;
  let stop: () => Promise<void>;
  let sent: { from: string; recipients: string[]; content: string } | undefined;
  let events: DossierEvent[];

  beforeEach(async () => {
    sent = undefined;
    events = [];
    store = await openStore({ dataDir: join(directory, 'data') });
    const running: Running = {
      endSessions: () => undefined,
      accountsChanged: () => undefined,
      abuseCounts: () => ({
        since: Date.now() - 60 * 60_000,
        refused: { ...noneRefused, banned: 12 },
        delayed: 1,
        remembered: 3,
      }),
      forgiven: () => undefined,
      async submit(from, recipients, content) {
        sent = { from, recipients, content: content.toString('latin1') };
        await store.appendEvents(events.map((event) => ({ ...event })));
        return {
          queueId,
          refused: recipients
            .filter((one) => one.startsWith('nobody'))
            .map((recipient) => ({ recipient, reply: '550 5.1.1 No such user here' })),
        };
      },
      async checkAddress(address) {
        if (address.startsWith('often')) throw new AdminError('too-many', 'Ask again in 5 min.');
        const verdict = address.startsWith('nobody') ? 'undeliverable' : 'cannot tell';
        const evidence = ['450 later'];
        const steps: CheckStep[] = [
          { step: 'question', finding: 'unclear', text: 'Asked \x1b[2J.', evidence },
        ];
        return {
          address,
          verdict,
          why: 'That is so.',
          steps,
          dialogue: [[1, 'C: RCPT TO:<x>']],
          checkedAt: 0,
          durationMs: 1,
        };
      },
      outlookOf: async () => ({
        site: 'mx.example.net',
        limits: { connections: 2, start: 2 },
        allowed: 2,
        active: 0,
        waiting: 0,
        proven: true,
      }),
      concurrency: 10,
      receiversForgotten: () => undefined,
      lookAtSources: async () => [],
      look: () => undefined,
      withhold: async () => () => undefined,
      suspend: async () => undefined,
      inLine: () => [],
    };
    const admin = localAdmin(adminParts(store, { running }));
    const path = join(directory, 'data', 'control.sock');
    const server = await startControlServer({
      path,
      admin: () => admin,
      maxContentBytes: () => 100_000,
      log: createLog('silent'),
    });
    stop = () => server.stop();
  });

  afterEach(async () => {
    await stop();
    await changeAllJobs(store, { kind: 'drop' });
    await store.pruneEvents({ before: Number.MAX_SAFE_INTEGER, maxBytes: 0 });
    await store.close();
  });

  const delivered = (recipient: string): DossierEvent[] => [
    {
      at: 1,
      queueId,
      recipient,
      event: 'attempted',
      data: {
        endpoint,
        reused: false,
        dialogue: [
          [0, 'S: 220 hello'],
          [1, 'C: QUIT'],
        ],
      },
    },
    { at: 2, queueId, recipient, event: 'delivered', data: { endpoint, reply: '250 2.0.0 Taken' } },
  ];
  const failed = (recipient: string): DossierEvent[] => [
    {
      at: 2,
      queueId,
      recipient,
      event: 'failed',
      data: {
        reason: '550 5.1.1 Who?',
        status: '5.1.1',
        phase: 'sending RCPT TO',
        rule: '5xx is final',
        endpoint,
      },
    },
  ];
  const base = ['send', '--from', 'Bob <bob@example.com>'];

  test('M10: posthorn send shows sent, queued and refused for each recipient, with the dialogue', async () => {
    events = [...delivered('a@example.net'), ...failed('b@example.net')];
    const recipients = ['a@example.net', 'b@example.net', 'nobody@example.com'].flatMap((to) => ['--to', to]);
    const { exitCode, out } = await posthorn([...base, ...recipients, '--text', 'hi']);
    expect(out).toContain(
      [
        `Accepted as ${queueId}.`,
        'sent     a@example.net  250 2.0.0 Taken',
        'refused  b@example.net  550 5.1.1 Who?',
        'refused  nobody@example.com  550 5.1.1 No such user here',
      ].join('\n'),
    );
    expect(out).toContain('S: 220 hello');
    expect(exitCode).toBe(1);
  });

  test('M11: posthorn check asks the running server, and says by its exit code what it found', async () => {
    const unclear = await posthorn(['check', 'bob@example.net']);
    expect(unclear).toMatchObject({ exitCode: 2 });
    expect(unclear.out).toMatch(
      /^bob@example\.net: cannot tell\nThat is so\.\nThis is what was found at 1970.*\n\nquestion {2}Asked \\x1b\[2J\.\n {10}450 later\n$/,
    );
    const { exitCode, out } = await posthorn(['check', 'nobody@example.net', '--json']);
    expect([exitCode, JSON.parse(out).verdict]).toEqual([1, 'undeliverable']);
    expect((await posthorn(['check', 'bob@example.net', '--dialogue'])).out).toContain('C: RCPT TO:<x>');
    const often = await posthorn(['check', 'often@example.net']);
    expect(often).toMatchObject({ exitCode: 75, err: 'posthorn: Ask again in 5 min.\n' });
  });

  test('M10: posthorn send --json tells results and events; what is queued is told apart from what is refused', async () => {
    const deferral = {
      reason: '451 4.7.1 Later',
      status: '4.7.1',
      phase: 'sending RCPT TO',
      rule: '4xx',
      attempts: 1,
    };
    const c = 'c@example.net';
    events = [
      ...delivered('a@example.net'),
      { at: 3, queueId, recipient: c, event: 'deferred', data: { ...deferral, nextAttemptAt: 900_003 } },
    ];
    const { exitCode, out } = await posthorn([
      ...base,
      '--to',
      `a@example.net, ${c}`,
      '--text',
      'hi',
      '--json',
    ]);
    const result = JSON.parse(out);
    expect(result.recipients).toEqual([
      { recipient: 'a@example.net', result: 'sent', detail: '250 2.0.0 Taken' },
      { recipient: c, result: 'queued', detail: '451 4.7.1 Later' },
    ]);
    expect(result.events[0]).toMatchObject({
      at: 1,
      queueId,
      recipient: 'a@example.net',
      event: 'attempted',
      endpoint,
    });
    expect(exitCode).toBe(2);
  });

  test('posthorn send says so when no dossier tells what became of a message', async () => {
    const { exitCode, out } = await posthorn([...base, '--to', 'a@example.net', '--text', 'hi']);
    expect(out).toContain('unknown  a@example.net  has left the queue, and no dossier was kept');
    expect(exitCode).toBe(2);
  });

  test('M8: posthorn send composes alternatives and attachments, and no header names a Bcc', async () => {
    writeFileSync(join(directory, 'note.txt'), 'attached');
    events = delivered('a@example.net');
    const more = [
      '--cc',
      'c@example.net',
      '--bcc',
      'hidden@example.net',
      '--subject',
      'Grüße',
      '--html',
      '<b>hi</b>',
    ];
    await posthorn([...base, '--to', 'a@example.net', ...more, '--text', 'hi', '--attach', 'note.txt']);
    expect(sent?.from).toBe('bob@example.com');
    expect(sent?.recipients).toEqual(['a@example.net', 'c@example.net', 'hidden@example.net']);
    expect(sent?.content).toMatch(/^Content-Type: multipart\/mixed/im);
    expect(sent?.content).toMatch(/multipart\/alternative/);
    expect(sent?.content).toMatch(/filename="?note\.txt/);
    expect(sent?.content).not.toMatch(/hidden|^Bcc/im);
  });

  test('posthorn send --file takes a message as it is, with CRLF line ends', async () => {
    events = delivered('a@example.net');
    await posthorn(
      [...base, '--to', 'a@example.net', '--file', '-'],
      'From: x@example.com\nX:  odd \r\n\nbody\u00e4\n',
    );
    expect(sent?.content).toBe('From: x@example.com\r\nX:  odd \r\n\r\nbody\u00c3\u00a4\r\n');
  });

  test('P14: posthorn trace reads the dialogue afterwards, as text and as a JSON array', async () => {
    await store.appendEvents(delivered('a@example.net').map((event) => ({ ...event })));
    expect((await posthorn(['trace', queueId])).out).toContain('C: QUIT');
    const { out } = await posthorn(['trace', 'a@example.net', '--json']);
    expect(JSON.parse(out)).toEqual([
      {
        at: 1,
        queueId,
        recipient: 'a@example.net',
        event: 'attempted',
        endpoint,
        reused: false,
        dialogue: [
          [0, 'S: 220 hello'],
          [1, 'C: QUIT'],
        ],
      },
      { at: 2, queueId, recipient: 'a@example.net', event: 'delivered', endpoint, reply: '250 2.0.0 Taken' },
    ]);
  });

  test('P7: posthorn trace says when what waits is likely to go', async () => {
    const nextAttemptAt = Date.now() + 20 * 60_000;
    const job = sampleJob(queueId, {
      recipient: 'a@example.net',
      nextAttemptAt,
      expiresAt: 9e15,
      attempts: 1,
    });
    const data = { status: '4.0.0', phase: 'x', rule: 'x', reason: 'x', attempts: 1, nextAttemptAt };
    const deferred = { at: 1, queueId, recipient: 'a@example.net', event: 'deferred', data };
    await store.accept(sampleMessage(queueId, { jobs: [job], events: [deferred] }));
    const { out } = await posthorn(['trace', queueId]);
    expect(out).toMatch(
      /\n01JRMGQ4TQ0A1B {2}a@example\.net is likely to go in about 20 minutes \(.* UTC\): its next attempt is planned for .* UTC\.\n$/,
    );
    expect((await posthorn(['trace', queueId, '--json'])).out).not.toContain('likely');
    await stop();
    await store.close();
    expect((await posthorn(['trace', queueId])).out).toMatch(
      /is due at .* UTC, but no server is running\.\n$/,
    );
    store = await openStore({ dataDir: join(directory, 'data') });
    stop = async () => undefined;
    await changeAllJobs(store, { kind: 'drop' });
  });
});

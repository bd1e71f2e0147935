import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { QueueOrder, QueueSelection } from '../admin/shapes/queue.ts';
import { formatTimeline } from '../dossier/timeline.ts';
import { reply } from '../smtp/reply.ts';
import { eventually } from '../testing/eventually.ts';
import { serverAndReceiver } from '../testing/server-and-receiver.ts';

const hour = 3600_000;
const day = 24 * hour;
const sender = 'sender@example.com';
const colleague = 'colleague@example.com';
const strangers = '127.0.0.22';

let letters = 0;

const scene = serverAndReceiver({
  strangers,
  accounts: [sender, colleague],
  dns: {
    'example.net': { MX: [[10, 'mx.example.net']] },
    'example.org': { MX: [[10, 'mx.example.net']] },
    'mx.example.net': { A: [strangers] },
  },
  receiverPerTest: true,
});
beforeEach(() => scene.clock.advance(3000)); // what the test before has ordered withholds mail for two seconds more

const server = () => scene.server;
const busy = { message: reply(451, '4.3.0', 'Not now') };

async function submit(...to: string[]): Promise<string> {
  letters++;
  const { queueId = '' } = await server().submit({ from: sender, to, subject: `Order ${letters}` });
  return queueId;
}

/** A letter that waits, after a first attempt that came to nothing. */
async function submitInVain(to: string): Promise<string> {
  Object.assign(scene.receiver.answers, busy);
  const queueId = await submit(to);
  await server().settled(queueId);
  delete scene.receiver.answers.message;
  return queueId;
}

const order = (selection: QueueSelection, order: QueueOrder, reason?: string) =>
  server().withAdmin((admin) =>
    admin.orderQueue({ selection, order, by: 'root', ...(reason !== undefined && { reason }) }),
  );

/** Lets time pass while nothing of a message is being tried: else it would be too late for the answers that are awaited. */
async function letTimePass(queueId: string): Promise<void> {
  const jobs = await waiting(queueId);
  if (!jobs.some(({ claimed }) => claimed)) scene.clock.advance(30_000);
}

const delivered = async (queueId: string) =>
  eventually(
    async () => {
      await letTimePass(queueId);
      return (await server().trace(queueId)).find(({ event }) => event === 'delivered');
    },
    { timeoutMs: 20_000, explain: async () => formatTimeline(await server().trace(queueId)) },
  );

const waiting = (queueId: string) =>
  server().withAdmin(async (admin) => (await admin.listQueue({ queueId, limit: 10 })).jobs);

const namesOf = async (queueId: string) => (await server().trace(queueId)).map(({ event }) => event);

// Some of them start the server several times.
vi.setConfig({ testTimeout: 30_000 });

describe('an operator', () => {
  test('holds a message over a restart and past its end, and releases it', async () => {
    const queueId = await submitInVain('friend@example.net');
    await order({ queueId }, { kind: 'hold' }, 'legal asks');
    await server().restart();
    scene.clock.advance(6 * day);
    await order({ queueId }, { kind: 'retry' });
    expect(await waiting(queueId)).toMatchObject([{ claimed: false, memo: { held: { by: 'root' } } }]);
    expect(scene.receiver.taken).toEqual([]);
    await order({ queueId }, { kind: 'release' });
    await delivered(queueId);
    expect(scene.receiver.taken).toHaveLength(1);
    const names = await namesOf(queueId);
    expect(names.filter((name) => ['held', 'released', 'failed', 'reported'].includes(name))).toEqual([
      'held',
      'released',
    ]);
    const story = formatTimeline(await server().trace(queueId));
    expect(story).toContain('Put on hold by root');
    expect(story).toContain('why: legal asks');
  });

  test('redirects a message to an account here, which then can read it', async () => {
    const queueId = await submitInVain('gone@example.net');
    await order({ recipient: 'gone@example.net' }, { kind: 'redirect', to: 'Colleague@example.com' });
    await delivered(queueId);
    const [letter] = await server().inbox(colleague);
    expect(letter).toContain(`Subject: Order ${letters}`);
    const story = formatTimeline(await server().trace(queueId));
    expect(story).toContain('gone@example.net: sent to another address');
    expect(story).toContain(`${colleague}: sent`);
    expect(await server().trace(colleague)).toContainEqual(expect.objectContaining({ queueId }));
  });

  test('redirects only to an address that is one, and to one recipient', async () => {
    const queueId = await submitInVain('gone@example.net');
    for (const [to, code] of [
      ['nobody@example.com', 'no-such-account'],
      ['x', 'bad-request'],
    ] as const)
      await expect(order({ queueId }, { kind: 'redirect', to })).rejects.toMatchObject({ code });
    await server().withAdmin((admin) =>
      admin.setAlias({ address: 'both@example.com', targets: [sender, colleague] }),
    );
    const both = order({ queueId }, { kind: 'redirect', to: 'both@example.com' });
    await expect(both).rejects.toMatchObject({
      code: 'bad-request',
      message: expect.stringContaining(colleague),
    });
    expect(await waiting(queueId)).toMatchObject([{ recipient: 'gone@example.net' }]);
    await order({ queueId }, { kind: 'drop' });
    expect(await namesOf(queueId)).toContain('dropped');
  });

  test('P8: bounces a message, with the server up or down, and its sender is told why', async () => {
    for (const isDown of [false, true]) {
      const queueId = await submitInVain('slow@example.net');
      const before = (await server().files(sender)).length;
      if (isDown) await server().stop();
      await order({ queueId }, { kind: 'bounce' }, 'the address is closed');
      expect(await waiting(queueId)).toEqual([]);
      if (isDown) await server().start();
      const letters = await server().inbox(sender, before + 1);
      const report = letters.find((letter) => letter.includes(queueId))?.replace(/=\r\n/g, '') ?? '';
      expect(report).toContain('multipart/report');
      expect(report).toContain('Final-Recipient: rfc822;slow@example.net');
      expect(report).toContain('Status: 5.0.0');
      expect(report.replaceAll(/\s+/g, ' ')).toContain('the address is closed');
      const failed = (await server().trace(queueId)).find(({ event }) => event === 'failed');
      expect(failed?.data).toMatchObject({ by: 'root', phase: 'waiting in the queue' });
    }
  });

  test('suspends a domain: new mail is not tried, over a restart, until it is resumed', async () => {
    const scope = { scope: 'domain', name: 'Example.NET' } as const;
    const old = await submitInVain('old@example.net');
    await server().withAdmin((admin) => admin.suspend({ ...scope, by: 'root', reason: 'they asked' }));
    const queueId = await submit('new@example.net');
    await server().event(queueId, 'deferred');
    const elsewhere = await submit('new@example.org');
    await delivered(elsewhere);
    await server().restart();
    const later = await submit('later@example.net');
    await server().event(later, 'deferred');
    for (let passed = 0; passed < 12; passed++) scene.clock.advance(hour);
    expect(scene.receiver.named.map(([recipient]) => recipient)).not.toContain('new@example.net');
    for (const id of [old, queueId, later])
      expect(await waiting(id)).toMatchObject([{ claimed: false, suspended: { reason: 'they asked' } }]);

    await server().withAdmin((admin) => admin.resume({ ...scope, by: 'ann' }));
    for (const id of [old, queueId, later]) await delivered(id);
    const story = formatTimeline(await server().trace(old));
    expect(story).toContain('Mail to example.net: suspended by root');
    expect(story).toContain('Mail to example.net: resumed by ann');
    expect(formatTimeline(await server().trace(later))).toContain(
      'Deferred: mail to example.net is suspended by root: they asked',
    );
  });

  test('suspends a site with the server down: all its domains wait, and are told apart in the list', async () => {
    const scope = { scope: 'site', name: 'mx.example.net' } as const;
    await server().stop();
    await server().withAdmin((admin) => admin.suspend({ ...scope, by: 'root' }));
    await server().start();
    const ids = [await submit('a@example.net'), await submit('b@example.org')];
    const local = await submit(colleague);
    for (const id of ids) await server().event(id, 'deferred');
    await delivered(local);
    const bySite = await server().withAdmin((admin) => admin.listQueue({ site: 'example.net', limit: 10 }));
    expect(bySite.jobs.map(({ queueId }) => queueId).sort()).toEqual(ids.toSorted());
    expect(bySite.jobs.every(({ suspended }) => suspended?.scope === 'site')).toBe(true);
    await server().stop();
    await server().withAdmin((admin) => admin.resume({ ...scope, by: 'root' }));
    await server().start();
    for (const id of ids) await delivered(id);
  });

  test('suspends all delivery for a time: mailboxes here wait too, and then it goes on by itself', async () => {
    const until = scene.clock.now() + 2 * hour;
    await server().withAdmin((admin) => admin.suspend({ scope: 'all', name: '', by: 'root', until }));
    const before = (await server().files(colleague)).length;
    const queueId = await submit(colleague, 'friend@example.net');
    await server().event(queueId, 'deferred');
    expect(await server().files(colleague)).toHaveLength(before);
    scene.clock.advance(hour);
    expect(scene.receiver.taken).toEqual([]);
    scene.clock.advance(hour);
    await eventually(
      async () => {
        await letTimePass(queueId);
        return (await waiting(queueId)).length === 0 || undefined;
      },
      { timeoutMs: 20_000, explain: async () => formatTimeline(await server().trace(queueId)) },
    );
    expect(await server().files(colleague)).toHaveLength(before + 1);
    expect(scene.receiver.taken).toHaveLength(1);
  });

  test('not-7: what reaches its end while it is suspended is given up, and its sender told', async () => {
    await server().withAdmin((admin) => admin.suspend({ scope: 'site', name: 'mx.example.net', by: 'root' }));
    const queueId = await submit('friend@example.net');
    await server().event(queueId, 'deferred');
    scene.clock.advance(5 * day + hour);
    const { data } = await server().event(queueId, 'failed');
    expect(data.reason).toBe('the site mx.example.net is suspended by root');
    expect(await namesOf(queueId)).toContain('reported');
    await server().withAdmin((admin) => admin.resume({ scope: 'site', name: 'mx.example.net', by: 'root' }));
  });

  test('cannot suspend a domain of this server as if it were another', async () => {
    const asked = server().withAdmin((admin) =>
      admin.suspend({ scope: 'domain', name: 'example.com', by: 'x' }),
    );
    await expect(asked).rejects.toMatchObject({
      code: 'bad-request',
      message: expect.stringContaining('local'),
    });
  });

  test('finds what waits by all that there is to say of it', async () => {
    const queueId = await submitInVain('needle@example.org');
    const finds = async (selection: QueueSelection) => {
      const { jobs } = await server().withAdmin((admin) => admin.listQueue({ ...selection, limit: 100 }));
      return jobs.some((job) => job.queueId === queueId);
    };
    const now = scene.clock.now();
    for (const selection of [
      { queueId },
      { sender },
      { sender: 'SENDER@example.com', domain: 'EXAMPLE.org' },
      { recipient: 'needle@example.org', state: 'waiting' },
      { site: 'mx.example.net' },
      { site: 'example.net', domain: 'example.org' },
      { queuedBefore: now },
      { queuedAfter: now - hour },
    ] as const)
      expect(await finds(selection), JSON.stringify(selection)).toBe(true);
    for (const selection of [
      { sender: '' },
      { sender, domain: 'example.net' },
      { state: 'held' },
      { site: 'mx.example.com' },
      { site: 'local' },
      { domain: 'example.com' },
      { queuedBefore: now - day },
      { queuedAfter: now + hour },
    ] as const)
      expect(await finds(selection), JSON.stringify(selection)).toBe(false);
    await order({ queueId }, { kind: 'drop' });
  });
});

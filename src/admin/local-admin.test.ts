import { describe, expect, test } from 'vitest';
import { adminStage } from '../testing/admin-stage.ts';
import type { AdminErrorCode } from './admin-error.ts';
import { localAdmin } from './local-admin.ts';

const stage = adminStage();

const failure = (code: AdminErrorCode) => expect.objectContaining({ name: 'AdminError', code });

describe('localAdmin()', () => {
  test('listReceivers() and resetReceivers() show and forget what was learned, here and in the running server', async () => {
    const learned = (site: string, source: string) => ({
      ...{ kind: 'receiver', key: `${site} from ${source}` },
      value: { site, source, waitsMs: [60_000], learnedAt: 1 },
    });
    const memos = [learned('a', '192.0.2.1'), learned('a', '192.0.2.2'), learned('b', '192.0.2.1')];
    await stage.directory.store.writeMemos([...memos, { kind: 'receiver', key: 'x', value: 5 }]);
    expect((await stage.local.listReceivers()).map(({ site }) => site)).toEqual(['a', 'a', 'b']);
    expect(await stage.local.resetReceivers({ site: 'a' })).toEqual({ count: 2 });
    expect(await stage.local.listReceivers()).toEqual([memos[2]?.value]);
    expect(await stage.local.resetReceivers({})).toEqual({ count: 1 });
    expect(stage.calls).toEqual(['forget a', 'forget all']);
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
    await stage.directory.store.appendEvents([{ at: 1, queueId, event: 'accepted', data }]);
    for (const subject of [
      queueId,
      queueId.toLowerCase(),
      '<m@example.org>',
      'm@example.org',
      'B@example.com',
    ]) {
      expect(await stage.local.trace({ subject, limit: 1 }), subject).toMatchObject([
        { queueId, event: 'accepted' },
      ]);
    }
    expect(await stage.local.trace({ subject: 'unknown', limit: 1 })).toEqual([]);
  });

  test('send() needs a running server, and tells why it refused', async () => {
    const content = Buffer.from('x');
    await expect(
      localAdmin(stage.parts()).send({ from: 'a@example.com', recipients: ['b@example.org'], content }),
    ).rejects.toEqual(failure('no-server'));
    await expect(stage.local.send({ from: '', recipients: ['nobody@example.com'], content })).rejects.toEqual(
      failure('refused'),
    );
  });
});

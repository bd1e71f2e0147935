import { expect, test } from 'vitest';
import type { AbuseReport } from '../../arf/read.ts';
import { addressKey } from '../../mail/address.ts';
import type { EventRow } from '../../store/event-store.ts';
import { fakeClock } from '../../testing/fake-clock.ts';
import { complaintMs, followComplaint } from './complaint.ts';

const accepted = (to: string[], via = 'submission'): EventRow => ({
  at: 1,
  queueId: 'Q1',
  event: 'accepted',
  data: { via, account: 'ann@example.com', to },
});

interface Setting {
  to?: string[];
  via?: string;
  type?: string;
  named?: string[];
  token?: string;
  messageId?: string;
  sender?: string;
}

async function follow({
  to = ['bob@b.example'],
  via,
  type = 'abuse',
  named = [],
  token,
  messageId,
  sender,
}: Setting) {
  const added: [string, number][] = [];
  const asked: object[] = [];
  const report: AbuseReport = {
    type,
    incidents: 1,
    originalRecipients: named,
    reportedDomains: [],
    original: { tokens: token === undefined ? [] : [token], ...(messageId !== undefined && { messageId }) },
  };
  const matched = await followComplaint(
    {
      store: {
        async trace(query) {
          asked.push(query);
          return query.queueId === 'Q1' || query.messageId === '<m@example.com>' ? [accepted(to, via)] : [];
        },
      },
      complaints: { findMessage: (tokens) => tokens.find((each) => /^Q\d$/.test(each)) },
      suppressions: {
        async add(address, { by, reason = '', until }) {
          added.push([addressKey(address), until]);
          const key = addressKey(address);
          return { address: key, failures: 0, firstAt: 0, lastAt: 0, by, reason };
        },
      },
      isLocal: (domain) => domain === 'example.com',
      clock: fakeClock(1000),
    },
    report,
    { sender: sender ?? 'b.example', from: 'x' },
  );
  return { matched, added, asked };
}

const sent = { queueId: 'Q1', account: 'ann@example.com' };

test('a proven complaint with our token has our mail to the one recipient refused', async () => {
  const { matched, added } = await follow({ token: 'Q1' });
  expect(matched).toEqual({ ...sent, recipients: ['bob@b.example'], suppressed: 'bob@b.example' });
  expect(added).toEqual([['bob@b.example', 1000 + complaintMs]]);
});

const three = ['bob@b.example', 'cat@c.example', 'dan@c.example'];
test('of several recipients the one is meant that the report names, if its domain says so', async () => {
  expect((await follow({ token: 'Q1', to: three, named: ['Bob@B.example'] })).added).toHaveLength(1);
  const byOther = await follow({ token: 'Q1', to: three, named: ['cat@c.example'] });
  expect([byOther.matched.why, byOther.added]).toEqual([
    expect.stringContaining('does not speak for c.example'),
    [],
  ]);
});

test.each<[string, Setting, string]>([
  ['no token', { messageId: '<m@example.com>' }, 'it does not hold our token for this message'],
  ['nobody who is proven', { token: 'Q1', sender: '' }, 'nobody is proven to have sent the report'],
  ['a fault', { token: 'Q1', type: 'auth-failure' }, 'it is no complaint, but "auth-failure"'],
  ['nobody named', { token: 'Q1', to: three }, 'it does not say which of the recipients complains'],
  ['somebody of ours', { token: 'Q1', to: ['eve@example.com'] }, 'example.com is ours'],
  ['a dossier that is gone', { token: 'Q2' }, 'its dossier is gone'],
])('a complaint with %s is only shown', async (_, setting, why) => {
  const { matched, added } = await follow(setting);
  expect(matched.why).toBe(why);
  expect(added).toEqual([]);
});

test('a complaint of mail that we have only received is about nothing of ours', async () => {
  expect((await follow({ messageId: '<m@example.com>', via: 'smtp' })).matched).toEqual({});
  expect((await follow({ messageId: '<other@example.com>' })).matched).toEqual({});
  expect((await follow({})).asked).toEqual([]);
});

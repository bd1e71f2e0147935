import { describe, expect, test } from 'vitest';
import { StoreFullError } from '../store/errors.ts';
import { sampleJob, sampleMessage } from '../testing/store.ts';
import type { Sent } from './delivery.ts';
import { type Envelope, type ForwardingParts, mayBePassedOn, sendPassedOn } from './forwarding.ts';

const parts: ForwardingParts = {
  returnPaths: {
    rewrite: async (reversePath, { localPart, domain }) =>
      `${localPart}+${reversePath.replace('@', '=')}@${domain}`,
  },
  isLocal: (domain) => domain === 'example.com',
};

const jobs = [
  sampleJob('Q1', { number: 0, recipient: 'a@example.net', originalRecipient: 'team@example.com' }),
  sampleJob('Q1', { number: 1, recipient: 'b@example.net' }),
  sampleJob('Q1', { number: 2, recipient: 'c@example.net', originalRecipient: 'elsewhere@example.org' }),
  sampleJob('Q1', {
    number: 3,
    recipient: 'd@example.net',
    originalRecipient: 'all@example.com',
    memo: { forwardedBy: 'bob@example.com' },
  }),
];

/** What goes out for whom. */
async function sent(
  message: Partial<Parameters<typeof sampleMessage>[1]> = {},
  more: Partial<ForwardingParts> = {},
) {
  const envelopes: string[] = [];
  const send = async ({ message, jobs }: Envelope): Promise<Sent> => {
    const { reversePath, prefix, sizeBytes, content } = message;
    const size = content.kind === 'inline' ? prefix.length + content.bytes.length : 0;
    const to = jobs.map(({ recipient }) => recipient).join(' ');
    envelopes.push(`${reversePath} → ${to}: ${prefix.toString().split('\r\n')[0]} (${sizeBytes - size})`);
    return { outcomes: new Map(jobs.map(({ number }) => [number, { kind: 'delivered' }])), events: [] };
  };
  const { message: row } = sampleMessage('Q1', message);
  const { outcomes } = await sendPassedOn({ ...parts, ...more }, { message: row, jobs }, send);
  return { envelopes, outcomes };
}

const outside = { message: { reversePath: 'ann@example.org', prefix: Buffer.from('Received: x\r\n') } };

describe('sendPassedOn()', () => {
  test('gives what goes on from an address of ours a reverse-path of ours and a mark, and leaves alone what passes through', async () => {
    const { envelopes, outcomes } = await sent(outside);
    expect(envelopes.map((text) => text.replace(/ \(.*/, ''))).toEqual([
      'team+ann=example.org@example.com → a@example.net: Delivered-To: team@example.com',
      'ann@example.org → b@example.net c@example.net: Received: x',
      'bob+ann=example.org@example.com → d@example.net: Delivered-To: bob@example.com',
    ]);
    expect([...outcomes.keys()].sort()).toEqual([0, 1, 2, 3]);
  });

  test('the size is that of what goes out', async () => {
    const { envelopes } = await sent(outside);
    const [first = '', second = ''] = envelopes.map((text) => /\((-?\d+)\)$/.exec(text)?.[1]);
    expect(first).toBe(second);
  });

  test('our users keep their reverse-path, wherever they send from', async () => {
    const { envelopes } = await sent({ message: { ...outside.message, submitter: 'eve@example.com' } });
    expect(envelopes[0]).toMatch(/^ann@example\.org → a@example\.net: Delivered-To: team@example\.com/);
  });

  test('not-12: without room for a secret, all is tried again later', async () => {
    const rewrite = () => Promise.reject(new StoreFullError('full'));
    const { envelopes, outcomes } = await sent(outside, { returnPaths: { rewrite } });
    expect(envelopes).toEqual([]);
    expect([...outcomes.values()].map(({ kind }) => kind)).toEqual([
      'deferred',
      'deferred',
      'deferred',
      'deferred',
    ]);
  });
});

describe('mayBePassedOn()', () => {
  test('is false for mail that means just its recipients', () => {
    expect(jobs.map((job) => mayBePassedOn([job]))).toEqual([true, false, true, true]);
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatTimeline } from '../dossier/timeline.ts';
import { reply } from '../smtp/reply.ts';
import { freePort } from '../testing/free-ports.ts';
import { type Receiver, startReceiver } from '../testing/receiver.ts';
import { startWorld, type World } from '../testing/world.ts';

const strangers = '127.0.0.26';
const domains = { strict: 'strict.example', careful: 'careful.example', never: 'never.example' } as const;
type Policy = keyof typeof domains;

let world: World<(typeof domains)[Policy]>;
let receiver: Receiver;

beforeAll(async () => {
  const port = await freePort([strangers]);
  const setup = (permanentFailures: Policy) => ({
    accounts: { [`ann@${domains[permanentFailures]}`]: 'secret' },
    settings: { delivery: { port, permanentFailures } },
  });
  world = await startWorld({
    servers: {
      'strict.example': setup('strict'),
      'careful.example': setup('careful'),
      'never.example': setup('never'),
    },
    dns: { 'example.net': { MX: [[10, 'mx.example.net']] }, 'mx.example.net': { A: [strangers] } },
  });
  receiver = await startReceiver({
    address: strangers,
    port,
    answers: {
      recipients: {
        'full@example.net': reply(552, '5.2.2', 'Mailbox full'),
        'gone@example.net': reply(550, '5.1.1', 'User unknown'),
      },
    },
  });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

describe('permanentFailures in posthorn.toml', () => {
  test.each([
    ['strict', { full: 'failed', gone: 'failed' }],
    ['careful', { full: 'deferred', gone: 'failed' }],
    ['never', { full: 'deferred', gone: 'deferred' }],
  ] as const)('M6: "%s" decides what a 5xx leads to, and the dossier says so', async (policy, expected) => {
    const server = world.servers[domains[policy]];
    const from = `ann@${domains[policy]}`;
    const to = ['full@example.net', 'gone@example.net'];
    const { queueId = '' } = await server.submit({ from, to, subject: policy });
    const outcomes = await server.settled(queueId);
    const states = outcomes.map(({ recipient, state }) => [recipient.split('@')[0], state]);
    expect(Object.fromEntries(states)).toEqual(expected);
    const left = await server.withAdmin((admin) => admin.listQueue({ queueId, limit: 10 }));
    const waiting = Object.values(expected).filter((state) => state === 'deferred');
    expect(left.jobs).toHaveLength(waiting.length);
    const kinds = (await server.trace(queueId)).flatMap((event) =>
      event.event === 'reported' && event.data.kind !== 'postmaster' ? [event.data.kind] : [],
    );
    // Who is tried again as after a 4xx has nothing to be told yet.
    expect(kinds.length > 0).toBe(policy !== 'never');
    if (policy !== 'strict') expect(formatTimeline(await server.trace(queueId))).toContain(`"${policy}"`);
  });
});

/** Receivers as bad as they can be: each ends in an outcome within the timeouts, with a transcript that is bounded. */

import { afterEach, describe, expect, it } from 'vitest';
import { socketDialler } from '../net/conversation.ts';
import { maxReplyText } from '../smtp/reply-parser.ts';
import type { MessageRow } from '../store/message.ts';
import { testAuthority } from '../testing/certificates.ts';
import { fakeClock } from '../testing/fake-clock.ts';
import { type HostileReceiver, hostileReceivers } from '../testing/hostile-receivers.ts';
import { scriptedPeer } from '../testing/scripted-peer.ts';
import { sampleJob, sampleMessage } from '../testing/store.ts';
import { maxLineLength, maxLines } from '../util/dialogue.ts';
import { ConnectionPool } from './connections/pool.ts';
import { send } from './send.ts';

const minute = 60_000;
const certificate = testAuthority().issue(['mx.example.net']);
const pools: ConnectionPool[] = [];
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});

/** Sends one message to a peer that plays these scripts; time passes, fast, once it keeps quiet. */
async function attempt({ scripts, sizeBytes = 20 }: Pick<HostileReceiver, 'scripts' | 'sizeBytes'>) {
  const clock = fakeClock();
  let settled = false;
  const passTime = async () => {
    for (let seconds = 0; !settled && seconds < 3600; seconds++) {
      clock.advance(1000);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const dripping = scripts.some((script) => script.includes('S~ '));
  const waits: Promise<void>[] = [];
  let isConnected = false;
  const drip = () => clock.advance(isConnected ? minute : 0);
  const onQuiet = () => void (dripping ? drip() : waits.push(passTime()));
  await using peer = await scriptedPeer(scripts, { certificate, onQuiet });
  const dial = socketDialler({ clock });
  const pool = new ConnectionPool({
    dial: async (_, options) => {
      const conversation = await dial(peer.endpoint, options);
      isConnected = true;
      return conversation;
    },
    clock,
    ehloName: 'c',
  });
  pools.push(pool);
  const { message } = sampleMessage('Q1');
  const octets = Buffer.from(`Subject: hi\r\n\r\n${'x\r\n'.repeat(sizeBytes / 3)}`);
  const began = clock.now();
  const { outcomes, events } = await send(
    { pool },
    {
      route: {
        kind: 'route',
        domain: 'example.net',
        answers: [],
        durationMs: 0,
        hosts: [{ host: 'mx.example.net', preference: 1, addresses: [{ address: '127.0.0.1', family: 4 }] }],
        port: 25,
      },
      message: { ...message, sizeBytes: octets.length } satisfies MessageRow,
      content: () => [octets],
      jobs: [sampleJob('Q1')],
    },
  );
  settled = true;
  await Promise.all(waits);
  const outcome = outcomes.get(0);
  if (outcome === undefined || outcome.kind === 'delivered') throw new Error(`delivered, by ${scripts[0]}`);
  return { outcome, events, tookMs: clock.now() - began, connections: peer.connections };
}

describe('a receiver that', () => {
  it.each(hostileReceivers.map((each) => [each.peer, each] as const))(
    'not-1: not-11: %s',
    async (_, expected) => {
      const { outcome, events, tookMs, connections } = await attempt(expected);
      expect(`${outcome.kind} ${outcome.status}`).toBe(expected.outcome);
      expect(outcome.phase).toMatch(expected.phase);
      expect(outcome.reason).toMatch(expected.reason);
      expect(outcome.reason.length).toBeLessThanOrEqual(2000);
      expect((outcome.reply?.lines ?? []).join('').length).toBeLessThanOrEqual(maxReplyText);
      expect(tookMs).toBeLessThanOrEqual((expected.withinMs ?? 0) + minute);
      expect(connections).toBe(expected.scripts.length);
      expect(events).toHaveLength(connections);
      for (const { data } of events) {
        if (!('dialogue' in data) || data.dialogue === undefined) throw new Error('no transcript');
        expect(data.dialogue.length).toBeLessThanOrEqual(maxLines);
        if (expected.shown !== undefined) {
          const lines = data.dialogue.map(([, line]) => line);
          expect(lines).toContainEqual(expect.stringMatching(expected.shown));
        }
        for (const [, line] of data.dialogue) expect(line.length).toBeLessThanOrEqual(maxLineLength + 1);
      }
    },
  );
});

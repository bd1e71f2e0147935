import { expect, test } from 'vitest';
import { fakeClock } from '../testing/fake-clock.ts';
import { startWorld } from '../testing/world.ts';

const sender = 'sender@example.com';
const recipient = 'recipient@example.net';
const minute = 60_000;

const policy = (when: string, then: string) => ({ name: 'default', checks: [{ when, then }] });

const worldOf = (clock: ReturnType<typeof fakeClock>) =>
  startWorld({
    clock,
    servers: {
      'example.com': { accounts: { [sender]: 'secret' } },
      'example.net': {
        accounts: { [recipient]: 'secret', 'other@example.net': 'secret' },
        settings: { policy: [policy('always', 'greylist')], greylisting: { minutes: 7 } },
      },
    },
  });

test('M7: what a Posthorn greylists, a Posthorn brings again at the first moment that it may', async () => {
  const clock = fakeClock(Date.now());
  await using world = await worldOf(clock);
  const { 'example.com': com, 'example.net': net } = world.servers;
  const { queueId = '' } = await com.submit({ from: sender, to: recipient });
  expect(await com.settled(queueId)).toMatchObject([{ recipient, state: 'deferred' }]);
  const deferred = await com.event(queueId, 'deferred');
  expect(deferred.data).toMatchObject({
    reason: expect.stringContaining('Greylisted: please try again in 7 minutes'),
  });
  const waitMs = (deferred.data.nextAttemptAt ?? 0) - deferred.at;
  expect(waitMs).toBeGreaterThanOrEqual(7 * minute);
  expect(waitMs).toBeLessThan(8 * minute);

  const refused = await net.event(recipient, 'judged');
  expect(refused.data).toMatchObject({
    disposition: 'greylist',
    facts: { greylist: { passed: false, waitSeconds: 420 } },
  });
  clock.advance(waitMs);
  expect(await net.inbox(recipient)).toHaveLength(1);
  const [line] = (await net.withAdmin((admin) => admin.listGreylist({ limit: 10 }))).entries;
  // SPF has proven whose mail it is: that network waits no more for this domain.
  expect(line).toMatchObject({ state: 'known', domain: 'example.com', isFree: true });

  const { queueId: second = '' } = await com.submit({ from: sender, to: 'other@example.net' });
  expect(await com.settled(second)).toMatchObject([{ state: 'delivered' }]);
});

test('M7: all listeners share what is remembered, and a restart forgets nothing of it', async () => {
  const clock = fakeClock(Date.now());
  await using world = await worldOf(clock);
  const net = world.servers['example.net'];
  const bring = async () => {
    const { replies } = await net.receive({ from: 'a@strange.invalid', to: recipient });
    return replies.get(recipient)?.code;
  };
  expect(await bring()).toBe(451);
  await net.restart();
  clock.advance(7 * minute);
  expect(await bring()).toBe(250);
});

test('by default nobody is greylisted', async () => {
  await using world = await startWorld({
    servers: { 'example.net': { accounts: { [recipient]: 'secret' } } },
  });
  const { replies } = await world.servers['example.net'].receive({
    from: 'a@strange.invalid',
    to: recipient,
  });
  expect(replies.get(recipient)?.code).toBe(250);
});

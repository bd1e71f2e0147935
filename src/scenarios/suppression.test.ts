import { expect, test } from 'vitest';
import { reply } from '../smtp/reply.ts';
import { serverAndReceiver } from '../testing/server-and-receiver.ts';

const hour = 3600_000;
const day = 24 * hour;
const sender = 'sender@example.com';
const strangers = '127.0.0.23';
const gone = 'gone@example.net';

const recipients = { [gone]: reply(550, '5.1.1', 'User unknown') };
const scene = serverAndReceiver({ strangers, accounts: [sender], answers: { recipients } });

const server = () => scene.server;
const submit = (...to: string[]) => server().submit({ from: sender, to, subject: 'Hello' });
const asked = () => scene.receiver.named.filter(([recipient]) => recipient === gone).length;

/** It is taken, tried, refused, and the sender hears of it as ever. */
async function submitInVain(): Promise<void> {
  const { queueId = '' } = await submit(gone);
  const [outcome] = await server().settled(queueId);
  expect(outcome?.state).toBe('failed');
}

test('an address that nobody has is refused at submission after two refusals, others in the same letter are not', async () => {
  await submitInVain();
  await submitInVain();
  expect(asked()).toBe(2);
  scene.clock.advance(2 * hour);
  await submitInVain();

  const sent = await submit('Gone@Example.net', 'friend@example.net');
  expect(sent.replies.get('Gone@Example.net')).toMatchObject({ code: 550, enhanced: '5.1.1' });
  expect(sent.replies.get('friend@example.net')).toMatchObject({ code: 250 });
  await server().event(sent.queueId ?? '', 'delivered');
  expect(asked()).toBe(3);
  expect((await server().trace(gone)).map(({ event }) => event)).toContain('suppressed');
});

test('posthorn send is told the same; mail from outside to an alias that leads there is not', async () => {
  const content = Buffer.from('Subject: x\r\n\r\nx\r\n');
  const { refused } = await server().withAdmin((admin) =>
    admin.send({ from: sender, recipients: [gone, 'friend@example.net'], content }),
  );
  expect(refused).toMatchObject([
    { recipient: gone, reply: expect.stringContaining('posthorn suppression remove') },
  ]);

  await server().withAdmin((admin) => admin.setAlias({ address: 'away@example.com', targets: [gone] }));
  const before = asked();
  const { queueId = '' } = await server().receive({
    from: 'x@example.org',
    to: 'away@example.com',
    subject: 'x',
  });
  await server().settled(queueId);
  expect(asked()).toBe(before + 1);
});

test('M11: a check says whether mail to the address is refused here, as things are now, and what its server says', async () => {
  const check = (address: string) => server().withAdmin((admin) => admin.checkAddress({ address }));
  expect(await check(gone)).toMatchObject({
    verdict: 'undeliverable',
    why: expect.stringMatching(
      /^Our own users' mail to it is refused until .* UTC: its server said \d times .*550 5\.1\.1/,
    ),
  });
  const friend = 'friend@example.net';
  const before = await check(friend);
  expect(before).toMatchObject({ verdict: 'cannot tell' });
  await server().withAdmin((admin) =>
    admin.addSuppression({
      address: friend,
      by: 'ann',
      reason: 'asked for it',
      until: scene.clock.now() + day,
    }),
  );
  const refused = await check(friend);
  expect(refused).toMatchObject({
    verdict: 'undeliverable',
    why: expect.stringContaining(
      `stopped by ann: asked for it. Of the address itself: cannot tell. ${before.why}`,
    ),
  });
  expect(refused.steps.at(-1)).toMatchObject({
    step: 'here',
    evidence: [`to end this: posthorn suppression remove ${friend}`],
  });
  await server().withAdmin((admin) => admin.removeSuppression({ address: friend, by: 'ann' }));
  expect(await check(friend)).toEqual(before);
  const asked = () => scene.receiver.named.filter(([recipient]) => recipient === friend).length;
  const times = asked();
  await server().withAdmin((admin) => admin.checkAddress({ address: friend, fresh: true }));
  expect(asked()).toBe(times + 1);
});

test('it survives a restart, ends by itself, and is forgotten when somebody is there after all', async () => {
  await server().restart();
  expect((await submit(gone)).replies.get(gone)).toMatchObject({ code: 550 });
  scene.clock.advance(day);
  delete (scene.receiver.answers.recipients as Record<string, unknown>)[gone];
  const { queueId = '' } = await submit(gone);
  await server().event(queueId, 'delivered');
  expect(await server().withAdmin((admin) => admin.findSuppression({ address: gone }))).toEqual({});
});

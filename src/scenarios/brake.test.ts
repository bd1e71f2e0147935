import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatTimeline } from '../dossier/timeline.ts';
import { brakeName } from '../queue/brake/braked.ts';
import { eventually } from '../testing/eventually.ts';
import { fakeClock } from '../testing/fake-clock.ts';
import { startWorld, type World } from '../testing/world.ts';

const [bob, ann, postmaster, recipient] = [
  'bob@example.com',
  'ann@example.com',
  'chief@example.com',
  'recipient@example.net',
];
const day = 24 * 3600_000;

let world: World<'example.com' | 'example.net'>;
const clock = fakeClock(Date.now());

beforeAll(async () => {
  world = await startWorld({
    clock,
    servers: {
      'example.com': {
        accounts: { [postmaster]: 'secret', [bob]: 'secret', [ann]: 'secret' },
        settings: { abuse: { hourlyRecipients: 3 }, delivery: { lifetimeHours: 24 } },
      },
      'example.net': { accounts: { [recipient]: 'secret', 'other@example.net': 'secret' } },
    },
    dns: {},
  });
});
afterAll(() => world[Symbol.asyncDispose]());

const com = () => world.servers['example.com'];
const net = () => world.servers['example.net'];

const submit = (from: string, ...to: string[]) => com().submit({ from, to, subject: 'hello', text: 'hello' });

/** Texts of the notices in an inbox. */
async function notices(account: string, count: number): Promise<string[]> {
  const read = async () => {
    const texts = await Promise.all((await com().files(account)).map((file) => readFile(file, 'utf8')));
    return texts.filter((text) => /^Subject: .*is held$/m.test(text));
  };
  return eventually(
    async () => {
      const found = await read();
      return found.length >= count ? found : undefined;
    },
    { explain: () => `not ${count} notices for ${account}` },
  );
}

const heldOf = (account: string) =>
  com().withAdmin((admin) => admin.listQueue({ sender: account, state: 'held', limit: 100 }));

describe('the brake', () => {
  test('what goes beyond is accepted and held, for mailboxes here too; user and postmaster are told with the evidence', async () => {
    const usual = await submit(bob, recipient, 'other@example.net', ann);
    await net().inbox(recipient);
    const tooMany = await submit(bob, recipient, ann);
    expect([...tooMany.replies.values()].map(({ code }) => code)).toEqual([250, 250]);
    const { jobs } = await heldOf(bob);
    expect(jobs.map(({ recipient: to, memo }) => [to, memo?.held?.by])).toEqual([
      [recipient, brakeName],
      [ann, brakeName],
    ]);
    const held = await com().event(tooMany.queueId ?? '', 'held');
    expect(held.data).toMatchObject({
      by: brakeName,
      reason: expect.stringMatching(/^5 recipients within an hour, more than 3 /),
    });
    const story = formatTimeline(await com().trace(tooMany.queueId ?? ''), { explain: false });
    expect(story).toContain(`Put on hold by ${brakeName}`);
    expect(story).toContain('why: 5 recipients within an hour, more than 3');
    for (const [reader, audience] of [
      [bob, 'What you send'],
      [postmaster, `Mail of ${bob}`],
    ] as const) {
      const [notice = ''] = await notices(reader, 1);
      expect(notice).toContain(`Subject: ${audience} is held`);
      expect(notice).toContain('There were 5 recipients within an hour, and 3 are allowed.');
      expect(notice).toContain('127.0.0.1');
      expect(notice).toContain(`<${recipient}>`);
      expect(notice).toContain('2 recipients wait now.');
    }
    expect(usual.queueId).toBeDefined();
  });

  test('others are not concerned, nor what the operator of the machine sends', async () => {
    const sent = await submit(ann, recipient);
    expect(sent.queueId && (await com().event(sent.queueId, 'delivered'))).toBeTruthy();
    const content = Buffer.from('Subject: x\r\n\r\nx\r\n');
    const handed = await com().withAdmin((admin) =>
      admin.send({ from: bob, recipients: [recipient], content }),
    );
    await com().event(handed.queueId, 'delivered');
  });

  test('a restart forgets neither brake nor what is held, and tells nobody twice', async () => {
    await com().restart();
    await submit(bob, 'other@example.net');
    expect((await heldOf(bob)).jobs).toHaveLength(3);
    expect(await com().withAdmin((admin) => admin.listBraked())).toMatchObject([{ account: bob, held: 3 }]);
    expect(await notices(bob, 1)).toHaveLength(1);
  });

  test('nothing held is given up, however long: both are reminded once a day', async () => {
    for (let passed = 1; passed <= 3; passed++) {
      for (let hour = 0; hour < 24; hour++) {
        clock.advance(day / 24);
        await new Promise(setImmediate);
      }
      await notices(bob, 1 + passed);
      await notices(postmaster, 1 + passed);
    }
    expect((await heldOf(bob)).jobs).toHaveLength(3);
    expect((await notices(bob, 4)).filter((text) => text.includes('Subject: Reminder: '))).toHaveLength(3);
  });

  test('what releases the whole queue leaves it alone', async () => {
    const order = { selection: {}, order: { kind: 'release' }, by: 'root' } as const;
    await com().withAdmin((admin) => admin.orderQueue(order));
    expect((await heldOf(bob)).jobs).toHaveLength(3);
  });

  test('one order releases all of it, and forgives the count', async () => {
    const { count, braked } = await com().withAdmin((admin) =>
      admin.releaseAccount({ address: bob, by: 'root' }),
    );
    expect([count, braked?.account]).toEqual([3, bob]);
    const { jobs } = await com().withAdmin((admin) =>
      admin.listQueue({ sender: bob, state: 'held', limit: 10 }),
    );
    expect(jobs).toEqual([]);
    await eventually(async () => (await com().files(ann)).length >= 2 || undefined, {
      explain: () => 'what was held for ann has not arrived',
    });
    await eventually(
      async () => {
        clock.advance(1000); // what waits behind one destination goes by steps
        return (await net().files(recipient)).length >= 4 || undefined;
      },
      { explain: () => 'what was held for the recipient elsewhere has not arrived' },
    );
    const sent = await submit(bob, recipient);
    expect(sent.queueId && (await com().event(sent.queueId, 'delivered'))).toBeTruthy();
  });

  test('where it was not the user, what is held is dropped', async () => {
    const many = Array.from({ length: 20 }, (_, index) => `nobody${index}@example.net`);
    const sent = await submit(bob, ...many);
    await com().event(sent.queueId ?? '', 'held');
    const order = { address: bob, by: 'root', drop: true };
    expect(await com().withAdmin((admin) => admin.releaseAccount(order))).toMatchObject({ count: 20 });
    expect((await com().event(sent.queueId ?? '', 'dropped')).data).toMatchObject({ by: 'root' });
    expect((await heldOf(bob)).jobs).toEqual([]);
  });

  test('an account may have a limit of its own', async () => {
    const limit = (hourlyRecipients: number) =>
      com().withAdmin((admin) => admin.changeSettings({ address: ann, hourlyRecipients }));
    await limit(1);
    const held = await submit(ann, recipient, 'other@example.net');
    await com().event(held.queueId ?? '', 'held');
    await com().withAdmin((admin) => admin.releaseAccount({ address: ann, by: 'root' }));
    await limit(0);
    for (let letter = 0; letter < 5; letter++) await submit(ann, recipient, 'other@example.net');
    expect((await heldOf(ann)).jobs).toEqual([]);
  });
});

import { beforeAll, expect, test } from 'vitest';
import { reply } from '../smtp/reply.ts';
import { mailTo, serverAndReceiver } from '../testing/server-and-receiver.ts';

/**
 * Somebody writes in the name of a victim, whose domain proves nothing, to every kind of address that we have; and nothing
 * of it can be delivered where it leads to. Nobody may hear of that but our own people.
 */
const victim = 'victim@victim.example';
const strangers = '127.0.0.24';
const day = 24 * 3600_000;

const addresses = {
  forward: 'forward@example.net',
  'forward that keeps a copy': 'kept@example.net',
  'forward, by a tag': 'forward+x@example.net',
  'forward, by another domain': 'forward@example.org',
  alias: 'alias@example.net',
  'mailing list': 'list@example.net',
  'catch-all': 'whoever@minus.example',
  'mailbox that is full by then': 'small@example.net',
};

const signed = (name: string) => ({ name, dkim: { selector: 'posthorn', key: `${name}.dkim.pem` } });

const refusal = (path: string) =>
  path.endsWith('@target.example') ? reply(550, '5.7.1', 'We want nothing of yours') : undefined;
const scene = serverAndReceiver({
  strangers,
  domain: 'example.net',
  accounts: ['owner', 'forward', 'kept', 'small'].map((name) => `${name}@example.net`),
  domains: ['example.org', 'minus.example'],
  settings: {
    domain: [
      signed('example.net'),
      { ...signed('example.org'), aliasOf: 'example.net' },
      { ...signed('minus.example'), catchAll: 'gone@target.example' },
    ],
  },
  dns: mailTo(strangers, 'victim.example', 'target.example'),
  answers: { recipient: refusal },
});
const net = () => scene.server;

beforeAll(async () => {
  const gone = 'gone@target.example';
  await net().withAdmin(async (admin) => {
    const forward = (address: string, keep: boolean) =>
      admin.changeSettings({ address, forward: { to: [gone], keep } });
    await forward('forward@example.net', false);
    await forward('kept@example.net', true);
    await admin.changeSettings({ address: 'small@example.net', quotaBytes: 1000 });
    await admin.setAlias({ address: 'alias@example.net', targets: [gone] });
    const list = { owner: 'owner@example.net', post: 'anybody' } as const;
    await admin.setAlias({ address: 'list@example.net', targets: [gone], list });
  });
});

const content = `From: ${victim}\r\nSubject: x\r\n\r\n${`${'x'.repeat(70)}\r\n`.repeat(5)}`;

test.each(Object.entries(addresses))(
  'backscatter: what was forged and goes wrong beyond a %s makes no report to its sender',
  async (_kind, to) => {
    const { queueId = '', replies } = await net().receive({ from: victim, to, content });
    expect(replies.get(to)).toMatchObject({ code: 250 });
    await net().settled(queueId);
    const events = await net().trace(queueId);
    const told = events.flatMap((event) => (event.event === 'reported' ? [event.data.to] : []));
    expect(told.filter((address) => !/@example\.(?:net|org)$|@minus\.example$/.test(address))).toEqual([]);
    // With a copy in the Inbox, what is refused need not come back as junk.
    if (to.startsWith('kept'))
      expect(events.filter(({ event }) => event === 'delivered')).toMatchObject([
        { data: { folder: 'Inbox' } },
      ]);
    expect(events.some(({ event }) => event === (to.startsWith('small') ? 'delivered' : 'failed'))).toBe(
      true,
    );
  },
);

test('backscatter: nor does anybody hear of it later, when all that waited has been tried', async () => {
  for (let hours = 0; hours < 6; hours++) {
    scene.clock.advance(day);
    await net().withAdmin((admin) =>
      admin.orderQueue({ selection: {}, order: { kind: 'retry' }, by: 'a test' }),
    );
    const { jobs } = await net().withAdmin((admin) => admin.listQueue({ limit: 100 }));
    for (const { queueId } of jobs) await net().settled(queueId);
  }
  expect(scene.receiver.named.filter(([recipient]) => recipient.endsWith('@victim.example'))).toEqual([]);
  expect(scene.receiver.named.length).toBeGreaterThan(4);
});

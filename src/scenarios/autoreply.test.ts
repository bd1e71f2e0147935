import { beforeAll, expect, test } from 'vitest';
import { reply } from '../smtp/reply.ts';
import { serverAndReceiver } from '../testing/server-and-receiver.ts';

/**
 * Nothing here answers mail by itself (RFC 3834 §2): neither mail of lists, nor what programs have sent, nor the null sender,
 * whatever becomes of it. What the server writes of its own accord says so, and nobody can answer it.
 */
const strangers = '127.0.0.25';
const ann = 'ann@example.net';
const elsewhere = 'robot@robots.example';
const day = 24 * 3600_000;

const refusal = (path: string) =>
  path.endsWith('@target.example') ? reply(550, '5.7.1', 'We want nothing of yours') : undefined;
const scene = serverAndReceiver({
  strangers,
  domain: 'example.net',
  accounts: ['ann', 'away', 'full', 'closed', 'forward'].map((name) => `${name}@example.net`),
  dns: Object.fromEntries(
    ['robots.example', 'target.example'].flatMap((name) => [
      [name, { MX: [[10, `mx.${name}`]], TXT: ['v=spf1 +all'] }],
      [`mx.${name}`, { A: [strangers] }],
    ]),
  ),
  answers: { recipient: refusal },
});
const net = () => scene.server;

beforeAll(async () => {
  await net().withAdmin(async (admin) => {
    await admin.suspendAccount({ address: 'away@example.net' });
    await admin.changeSettings({ address: 'full@example.net', quotaBytes: 1 });
    await admin.changeSettings({ address: 'closed@example.net', receive: false });
    const forward = { to: ['gone@target.example'], keep: true };
    await admin.changeSettings({ address: 'forward@example.net', forward });
    const list = { owner: ann, post: 'anybody' } as const;
    await admin.setAlias({ address: 'list@example.net', targets: [ann, 'gone@target.example'], list });
  });
});

const recipients = ['ann', 'ann+tag', 'away', 'full', 'closed', 'forward', 'list', 'nobody', 'postmaster'];
const automatic: [string, string, string][] = [
  ['a mailing list', elsewhere, 'List-Id: <l.robots.example>\r\nPrecedence: list\r\n'],
  ['bulk mail', elsewhere, 'Precedence: bulk\r\nList-Unsubscribe: <https://robots.example/u>\r\n'],
  ['a program', elsewhere, 'Auto-Submitted: auto-generated\r\n'],
  ['somebody’s autoreply', elsewhere, 'Auto-Submitted: auto-replied\r\nIn-Reply-To: <1@example.net>\r\n'],
  ['the null sender', '', 'Auto-Submitted: auto-replied\r\n'],
  ['the null sender, which says nothing of itself', '', ''],
];

test.each(automatic)('not-15: nothing answers %s, whatever becomes of its mail', async (_, from, fields) => {
  const content = `From: ${elsewhere}\r\nTo: somebody@example.net\r\nSubject: x\r\n${fields}\r\nHello\r\n`;
  const codes: number[] = [];
  for (const name of recipients) {
    const to = `${name}@example.net`;
    const { queueId, replies } = await net().receive({ from, to, content });
    codes.push(replies.get(to)?.code ?? 0);
    if (queueId !== undefined) await net().settled(queueId);
  }
  // Some is taken, some is refused in the dialogue, where it is answered to nobody else.
  expect(codes).toContain(250);
  expect(codes).toContain(550);
  expect(answered()).toEqual([]);
});

/** What has gone to where that mail came from. */
const answered = () => scene.receiver.named.filter(([recipient]) => recipient.endsWith('@robots.example'));

test('not-15: nor is it answered later, when all that waited has been tried', async () => {
  for (let count = 0; count < 6; count++) {
    scene.clock.advance(day);
    await net().withAdmin((admin) =>
      admin.orderQueue({ selection: {}, order: { kind: 'retry' }, by: 'a test' }),
    );
    const { jobs } = await net().withAdmin((admin) => admin.listQueue({ limit: 100 }));
    for (const { queueId } of jobs) await net().settled(queueId);
  }
  expect(answered()).toEqual([]);
  expect(scene.receiver.named.length).toBeGreaterThan(automatic.length);
});

test('not-15: what the server writes by itself says that it is automatic, and comes from nobody', async () => {
  const { queueId = '' } = await net().submit({ from: ann, to: 'gone@target.example' });
  await net().settled(queueId);
  const written = (await net().inbox(ann, 1)).filter((letter) => /^Return-Path: <>\r$/m.test(letter));
  expect(written.some((letter) => letter.includes('We want nothing of yours'))).toBe(true);
  const ours = written.filter((letter) => /^From: .*@(?:mx\.)?example\.net>?\r$/m.test(letter));
  expect(ours.length).toBeGreaterThan(0);
  for (const letter of ours) expect(letter).toMatch(/^Auto-Submitted: auto-(?:replied|generated)\r$/m);
});

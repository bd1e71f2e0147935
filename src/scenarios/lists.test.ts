import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../testing/eventually.ts';
import { startWorld, type World } from '../testing/world.ts';

let world: World<'example.com' | 'example.net'>;

const ann = 'ann@example.com';
const bob = 'bob@example.net';
const owner = 'owner@example.net';
const list = 'club@example.net';

const com = () => world.servers['example.com'];
const net = () => world.servers['example.net'];

beforeAll(async () => {
  world = await startWorld({
    servers: {
      'example.com': { accounts: { [ann]: 'secret', 'eve@example.com': 'secret' } },
      'example.net': { accounts: { [owner]: 'secret', [bob]: 'secret' } },
    },
    dns: { 'forged.example': { MX: [[10, 'mx.example.com']] } },
  });
  const targets = [ann, bob, 'x@forged.example'];
  await net().withAdmin(async (admin) => {
    await admin.setAlias({ address: list, targets, list: { owner, post: 'members', name: 'The Club' } });
    await admin.setAlias({ address: 'own@example.net', targets: [bob], list: { owner, post: 'domain' } });
    await admin.setAlias({ address: 'open@example.net', targets: [bob], list: { owner, post: 'anybody' } });
  });
});
afterAll(() => world[Symbol.asyncDispose]());

const received = async (letter: { from: string; to: string; content?: string }) =>
  (await net().receive(letter)).replies.get(letter.to);

describe('a mailing list', () => {
  test('brings what a member writes to all, in the owner’s envelope, its header as it came', async () => {
    const { queueId = '' } = await com().submit({ from: ann, to: list, subject: 'Tonight' });
    await com().settled(queueId);
    const [here = ''] = await net().inbox(bob);
    const [there = ''] = await com().inbox(ann);
    for (const letter of [here, there]) {
      expect(letter).toContain('List-Id: "The Club" <club.example.net>\r\n');
      expect(letter).toMatch(/^Return-Path: <owner@example\.net>/);
      expect(letter).toMatch(/^Subject: Tonight/m);
    }
    expect(there).toContain(`Delivered-To: ${list}\r\n`);
    expect(there).toMatch(/dkim=pass[^;]*header\.d=example\.com/);
    expect(there).toMatch(/dmarc=pass/);
  });

  test('errors come to its owner, and not to who wrote', async () => {
    const [report = ''] = await eventually(
      async () => {
        const files = await net().files(owner);
        const all = await Promise.all(files.map((file) => readFile(file, 'utf8')));
        const found = all.filter((letter) => letter.includes('Subject: Undelivered:'));
        return found.length > 0 ? found : undefined;
      },
      {
        explain: async () =>
          JSON.stringify((await net().trace('x@forged.example')).map(({ event }) => event)),
      },
    );
    expect(report).toContain('x@forged.example');
    expect((await com().inbox(ann)).filter((letter) => letter.includes('Undelivered'))).toEqual([]);
  });

  test.each([
    ['a stranger', { from: 'eve@example.com', to: list }],
    ['the null sender', { from: '', to: list, content: 'Subject: x\r\n\r\nx\r\n' }],
    [
      'the null sender, of an open list',
      { from: '', to: 'open@example.net', content: 'Subject: x\r\n\r\nx\r\n' },
    ],
    ['outside, of one for our own', { from: 'eve@example.com', to: 'own@example.net' }],
  ])('takes nothing from %s', async (_who, letter) => {
    expect(await received(letter)).toMatchObject({ code: 550, enhanced: '5.7.2' });
  });

  test('takes nothing in the name of a member, or of our own, that nothing proves', async () => {
    for (const letter of [
      { from: 'x@forged.example', to: list },
      { from: bob, to: 'own@example.net', content: 'From: bob@nowhere.example\r\nSubject: x\r\n\r\nx\r\n' },
    ]) {
      world.dns.change({ 'example.net': { MX: [[10, 'mx.example.net']], TXT: ['v=spf1 -all'] } });
      expect(await received(letter)).toMatchObject({ code: 550 });
    }
  });

  test('is open to whom it is meant for: anybody, or our users with a tag', async () => {
    expect(await received({ from: 'x@forged.example', to: 'open@example.net' })).toMatchObject({ code: 250 });
    const sent = await net().submit({ from: 'bob+x@example.net', to: 'own@example.net' }, bob);
    expect(sent.replies.get('own@example.net')).toMatchObject({ code: 250 });
    const tagged = await net().submit({ from: 'bob+x@example.net', to: list }, bob);
    expect(tagged.replies.get(list)).toMatchObject({ code: 250 });
  });

  test('does not send again what it has sent', async () => {
    for (const field of ['List-Id: "The Club" <club.example.net>', `Delivered-To: ${list}`]) {
      const content = `From: ${ann}\r\n${field}\r\nSubject: round\r\n\r\nx\r\n`;
      expect(await received({ from: ann, to: list, content })).toMatchObject({
        code: 554,
        enhanced: '5.4.6',
      });
    }
  });

  test('asks to come again while DNS does not tell whether a member is one', async () => {
    world.dns.break('forged.example', '_dmarc.forged.example');
    expect(await received({ from: 'x@forged.example', to: list })).toMatchObject({
      code: 451,
      enhanced: '4.4.3',
    });
    world.dns.break();
  });
});

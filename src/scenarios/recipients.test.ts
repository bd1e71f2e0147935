import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../testing/eventually.ts';
import { startWorld, type World } from '../testing/world.ts';

let world: World<'example.com' | 'example.net'>;
const ann = 'ann@example.com';
const bob = 'bob@example.net';
const eve = 'eve@example.net';
const off = 'off@example.net';

const com = () => world.servers['example.com'];
const net = () => world.servers['example.net'];

/** As a world makes them. */
const signed = (name: string) => ({ name, dkim: { selector: 'posthorn', key: `${name}.dkim.pem` } });

beforeAll(async () => {
  world = await startWorld({
    servers: {
      'example.com': { accounts: { [ann]: 'secret' } },
      'example.net': {
        accounts: { [eve]: 'secret', [bob]: 'secret', [off]: 'secret' },
        domains: ['example.org', 'minus.example'],
        settings: {
          domain: [
            { ...signed('example.net'), catchAll: eve },
            { ...signed('example.org'), aliasOf: 'example.net' },
            signed('minus.example'),
          ],
        },
      },
    },
  });
  await net().withAdmin((admin) => admin.setAlias({ address: 'info@example.net', targets: [bob] }));
  await net().withAdmin((admin) => admin.changeSettings({ address: off, receive: false, send: false }));
});
afterAll(() => world[Symbol.asyncDispose]());

/** What final delivery has written of where it was for, and of who got it. */
async function delivery(to: string): Promise<string[]> {
  await com().submit({ from: ann, to, subject: to });
  const found = async () => {
    const letters = (await Promise.all([bob, eve].map((account) => net().fetch(account))))
      .flatMap(({ messages }) => messages.map(String))
      .filter((letter) => letter.includes(`Subject: ${to}\r\n`));
    const fields = letters.flatMap((letter) => [
      ...letter.matchAll(/^(?:Delivered-To|X-Original-To): .*(?=\r)/gm),
    ]);
    return letters.length === 0 ? undefined : fields.map(String);
  };
  return eventually(found, { explain: () => `nothing for ${to}` });
}

describe('addresses of one mailbox', () => {
  test.each([
    ['M12: +tag', 'bob+Shop@example.net', ['Delivered-To: bob+Shop@example.net']],
    ['M12: aliases', 'info@example.net', [`Delivered-To: ${bob}`, 'X-Original-To: info@example.net']],
    ['M12: several domains', 'bob@example.org', [`Delivered-To: ${bob}`, 'X-Original-To: bob@example.org']],
    ['M12: several domains, +tag', 'bob+x@example.org', ['Delivered-To: bob+x@example.org']],
    [
      'M12: catch-all',
      'anything@example.net',
      [`Delivered-To: ${eve}`, 'X-Original-To: anything@example.net'],
    ],
    [
      'M12: catch-all, by another domain',
      'more@example.org',
      [`Delivered-To: ${eve}`, 'X-Original-To: more@example.org'],
    ],
  ])('%s: <%s>', async (_row, to, expected) => {
    expect(await delivery(to)).toEqual(expected);
  });

  test('M12: several domains: one without a catch-all refuses whom it does not know', async () => {
    const { replies } = await net().receive({ from: ann, to: 'bob@minus.example' });
    expect(replies.get('bob@minus.example')).toMatchObject({ code: 550, enhanced: '5.1.1' });
  });

  test.each([bob, 'bob+x@example.net', 'info@example.net', 'bob@example.org', 'bob+y@example.org'])(
    'M12: +tag, aliases, several domains: its user may send as <%s>',
    async (from) => {
      const { replies } = await net().submit({ from, to: ann, subject: 'mine' }, bob);
      expect(replies.get(ann)).toMatchObject({ code: 250 });
    },
  );

  test.each(['eve+x@example.net', 'anything@example.net', 'bob@minus.example', 'postmaster@example.net'])(
    'not-10: its user may not send as <%s>',
    async (from) => {
      const { replies } = await net().submit({ from, to: ann, subject: 'not mine' }, bob);
      expect(replies.get(ann)).toMatchObject({ code: 553, enhanced: '5.7.1' });
    },
  );
});

describe('switches of one mailbox', () => {
  test('M12: receive switch: mail to it is refused at RCPT, without a word of why', async () => {
    for (const to of [off, 'off+x@example.net', 'off@example.org']) {
      const { replies } = await net().receive({ from: ann, to });
      expect(replies.get(to)).toMatchObject({ code: 550, enhanced: '5.2.1' });
    }
  });

  test('M12: send switch: what its user submits is refused, and taken after it was switched on', async () => {
    const submitted = async () => (await net().submit({ from: off, to: ann, subject: 'x' })).replies.get(ann);
    expect(await submitted()).toMatchObject({ code: 550, enhanced: '5.7.1' });
    await net().withAdmin((admin) => admin.changeSettings({ address: off, send: true }));
    expect(await submitted()).toMatchObject({ code: 250 });
    await net().withAdmin((admin) => admin.changeSettings({ address: off, receive: true }));
    expect((await net().receive({ from: ann, to: off })).replies.get(off)).toMatchObject({ code: 250 });
  });
});

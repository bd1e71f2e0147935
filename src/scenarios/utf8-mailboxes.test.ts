import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LineConnection } from '../testing/line-connection.ts';
import { startWorld, type World } from '../testing/world.ts';

/** As people type it, its letters composed (NFC), and as some systems hand it on (NFD). */
const composed = 'jürgen.ölçer@example.net';
const decomposed = composed.normalize('NFD');
const sender = 'björn@example.com';

let world: World<'example.com' | 'example.net'>;

beforeAll(async () => {
  world = await startWorld({
    servers: {
      'example.com': { accounts: { [sender]: 'secret' } },
      'example.net': { accounts: { [decomposed]: 'päss' } },
    },
  });
});
afterAll(() => world[Symbol.asyncDispose]());

const net = () => world.servers['example.net'];
const utf8 = (text: string): string => Buffer.from(text).toString('latin1');

async function pop3(...commands: string[]): Promise<string[]> {
  await using client = await LineConnection.open(net().endpoint('pop3s'));
  await client.startTls({ host: net().config.hostname, authority: world.authority.cert });
  await client.line();
  const replies: string[] = [];
  for (const command of commands) replies.push(await client.ask(utf8(command)));
  return replies;
}

const plain = (user: string, password: string): string =>
  `AUTH PLAIN ${Buffer.from(`\0${user}\0${password}`).toString('base64')}`;

describe('a mailbox whose name is not ASCII (RFC 6531)', () => {
  test.each([
    ['composed', composed],
    ['decomposed', decomposed],
    ['in capitals', composed.toUpperCase()],
  ])('gets mail that is addressed to it %s', async (_, to) => {
    const { queueId = '' } = await world.servers['example.com'].submit({ from: sender, to });
    const [outcome] = await world.servers['example.com'].settled(queueId);
    expect(outcome).toMatchObject({ state: 'delivered' });
  });

  test('is one Maildir, composed, and its letters name it so', async () => {
    const letters = await net().inbox(decomposed, 3);
    const accounts = await readdir(join(net().config.dataDir, 'accounts'));
    expect(accounts).toEqual([composed]);
    for (const letter of letters) {
      expect(letter).toContain(`Delivered-To: ${composed}`);
      expect(letter).toContain(`Return-Path: <${sender}>`);
      expect(letter).toContain('with UTF8SMTPS');
    }
  });

  test.each([
    ['composed', composed],
    ['decomposed', decomposed],
    ['in capitals', composed.toUpperCase()],
  ])('is opened by its name %s, with USER and with AUTH', async (_, user) => {
    expect(await pop3(`USER ${user}`, 'PASS päss')).toEqual([
      '+OK Now PASS',
      expect.stringMatching(/^\+OK 3 /),
    ]);
    expect(await pop3(plain(user, 'päss'))).toEqual([expect.stringMatching(/^\+OK 3 /)]);
    expect(await pop3(plain(user, 'pass'))).toEqual([expect.stringMatching(/^-ERR \[AUTH\]/)]);
  });

  test('is unknown by a name that only looks like it, and needs SMTPUTF8', async () => {
    await using client = await LineConnection.open(net().endpoint('smtp'));
    await client.line();
    await client.ask('HELO c');
    await client.ask('MAIL FROM:<a@example.org>');
    expect(await client.ask(utf8(`RCPT TO:<${composed}>`))).toMatch(/^553 5\.6\.7 /);
    await client.ask('RSET');
    await client.ask('MAIL FROM:<a@example.org> SMTPUTF8');
    expect(await client.ask('RCPT TO:<jurgen.olcer@example.net>')).toMatch(/^550 5\.1\.1 /);
    expect(await client.ask(utf8(`RCPT TO:<${decomposed}>`))).toMatch(/^250 /);
  });

  test('has its dossier under every form of its name', async () => {
    for (const name of [composed, decomposed])
      expect((await net().trace(name)).some(({ event }) => event === 'delivered')).toBe(true);
  });
});

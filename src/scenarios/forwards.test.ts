import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DossierEvent } from '../dossier/event.ts';
import { eventually } from '../testing/eventually.ts';
import { startWorld, type World } from '../testing/world.ts';

/** Three servers, each with an address of its own from which alone its domain's mail may come. */
let world: World<'example.com' | 'example.net' | 'example.org'>;
const sources = { 'example.com': '127.0.0.61', 'example.net': '127.0.0.62', 'example.org': '127.0.0.63' };

const sender = 'sender@example.com';
const bob = 'bob@example.net';
const kate = 'kate@example.net';
const lost = 'lost@example.net';
const carol = 'carol@example.org';

const settings = (domain: keyof typeof sources) => ({ source: [{ address: sources[domain] }] });
const onlyFrom = (domain: keyof typeof sources) => ({
  [domain]: { MX: [[10, `mx.${domain}`]] as const, TXT: [`v=spf1 ip4:${sources[domain]} -all`] },
});

beforeAll(async () => {
  world = await startWorld({
    servers: {
      'example.com': { accounts: { [sender]: 'secret' }, settings: settings('example.com') },
      'example.net': {
        accounts: { [bob]: 'secret', [kate]: 'secret', [lost]: 'secret' },
        settings: { ...settings('example.net'), arc: { seal: true } },
      },
      'example.org': { accounts: { [carol]: 'secret' }, settings: settings('example.org') },
    },
    dns: {
      ...onlyFrom('example.com'),
      ...onlyFrom('example.net'),
      ...onlyFrom('example.org'),
      'junk.example': { MX: [[10, 'mx.example.com']], TXT: ['v=spf1 -all'] },
      '_dmarc.junk.example': { TXT: ['v=DMARC1; p=quarantine'] },
    },
  });
  await net().withAdmin(async (admin) => {
    await admin.changeSettings({ address: bob, forward: { to: [carol], keep: false } });
    await admin.changeSettings({ address: kate, forward: { to: [carol], keep: true } });
    await admin.changeSettings({ address: lost, forward: { to: ['nobody@example.org'], keep: false } });
    await admin.setAlias({ address: 'team@example.net', targets: [carol] });
    await admin.setAlias({ address: 'old@example.net', targets: ['nobody@example.org'] });
  });
});
afterAll(() => world[Symbol.asyncDispose]());

const com = () => world.servers['example.com'];
const net = () => world.servers['example.net'];
const org = () => world.servers['example.org'];

/** The letter that has this subject, as it lies in the mailbox. */
async function arrival(subject: string): Promise<string> {
  const before = (await org().files(carol)).length;
  let all = await org().inbox(carol, Math.max(1, before));
  for (let count = before; !all.some((letter) => letter.includes(`Subject: ${subject}\r\n`)); count++)
    all = await org().inbox(carol, count + 1);
  return all.find((letter) => letter.includes(`Subject: ${subject}\r\n`)) ?? '';
}

const fieldsOf = (letter: string, name: string): string[] =>
  [...letter.slice(0, letter.indexOf('\r\n\r\n')).matchAll(/^([\w-]+):((?:.*)(?:\r\n[ \t].*)*)/gm)]
    .filter(([, found = '']) => found.toLowerCase() === name.toLowerCase())
    .map(([, , value = '']) => value.trim());

const submit = (to: string, subject: string) => com().submit({ from: sender, to, subject });

/** Waits for the first. */
const junkOf = (account: string): Promise<string[]> =>
  eventually(
    async () => {
      const files = await net().files(account, 'Junk');
      return files.length > 0 ? Promise.all(files.map((file) => readFile(file, 'utf8'))) : undefined;
    },
    { explain: () => `nothing in the Junk folder of ${account}` },
  );

const told = (events: readonly DossierEvent[]) => events.filter(({ event }) => event === 'reported');

describe('mail that goes on to another domain', () => {
  test.each([
    ['a forward', bob],
    ['a forward by a tag', 'bob+x@example.net'],
    ['an alias', 'team@example.net'],
  ])(
    'M12: forwards: %s passes SPF under our reverse-path, and DKIM and DMARC as it came',
    async (what, to) => {
      await submit(to, what);
      const letter = await arrival(what);
      const [returnPath] = fieldsOf(letter, 'Return-Path');
      expect(returnPath).toMatch(/^<SRS0=[a-z2-7]{8}=[a-z2-7]{2}=example\.com=sender@example\.net>$/);
      const [results = ''] = fieldsOf(letter, 'Authentication-Results');
      expect(results).toMatch(/^mx\.example\.org/);
      expect(results).toMatch(/spf=pass[^;]*smtp\.mailfrom=\S*example\.net/);
      expect(results).toMatch(/dkim=pass[^;]*header\.d=example\.com/);
      expect(results).toMatch(/dmarc=pass/);
      expect(results).toMatch(/arc=pass/);
      expect(fieldsOf(letter, 'ARC-Seal')).toEqual([expect.stringMatching(/d=example\.net/)]);
      expect(fieldsOf(letter, 'Delivered-To')).toEqual([carol, to === bob ? bob : expect.any(String)]);
      expect(await net().files(bob)).toEqual([]);
    },
  );

  test('M12: forwards: with --keep, a copy stays', async () => {
    await submit(kate, 'kept');
    expect(await arrival('kept')).toContain('Hello.');
    const [copy = ''] = await net().inbox(kate);
    expect(fieldsOf(copy, 'Return-Path')).toEqual([`<${sender}>`]);
    expect(fieldsOf(copy, 'Delivered-To')).toEqual([kate]);
  });

  test('junk is not forwarded: it stays in the Junk folder of whose mail it is', async () => {
    const { replies, queueId = '' } = await net().receive({ from: 'x@junk.example', to: bob });
    expect(replies.get(bob)).toMatchObject({ code: 250 });
    const [outcome] = await net().settled(queueId);
    expect(outcome).toMatchObject({ recipient: bob, state: 'delivered' });
    expect(await junkOf(bob)).toEqual([expect.stringContaining('A letter')]);
  });

  test('a refused forward lands in the forwarder’s Junk with the reason, and makes no DSN', async () => {
    await submit(lost, 'refused');
    const [letter = ''] = await junkOf(lost);
    expect(letter).toMatch(
      /^X-Posthorn-Forward: could not be passed on to <nobody@example\.org>: 550 5\.1\.1 No such user/m,
    );
    expect(letter).toContain('Subject: refused');
    const events = await net().trace(lost);
    expect(events.map(({ event }) => event)).toContain('failed');
    expect(told(events)).toEqual([]);
    expect(await com().files(sender)).toEqual([]);
  });

  test('it comes back once, however the server ends', async () => {
    await submit(lost, 'refused again');
    const failures = async () => (await net().trace(lost)).filter(({ event }) => event === 'failed');
    await eventually(async () => (await failures()).length > 1 || undefined, {
      explain: () => 'one failure',
    });
    await net().kill();
    await net().start();
    const again = async () => (await net().files(lost, 'Junk')).length > 1 || undefined;
    await eventually(again, { explain: () => 'nothing more in the Junk folder' });
    const idle = async () => {
      const { jobs } = await net().withAdmin((admin) => admin.listQueue({ recipient: lost, limit: 10 }));
      return jobs.length === 0 || undefined;
    };
    await eventually(idle, { explain: () => 'it waits still' });
    expect(await net().files(lost, 'Junk')).toHaveLength(2);
  });

  test('a loop over forwards ends at its second round', async () => {
    const seen = {
      from: 'x@example.com',
      to: bob,
      content: `Delivered-To: ${bob}\r\nSubject: round\r\n\r\nHi\r\n`,
    };
    const { replies } = await net().receive(seen);
    expect(replies.get(bob)).toMatchObject({ code: 554, enhanced: '5.4.6' });
  });
});

describe('a bounce that comes back to a rewritten sender', () => {
  const report = (original: string) =>
    [
      'From: MAILER-DAEMON@receiver.example',
      'To: you@example.net',
      'Subject: Undelivered',
      'MIME-Version: 1.0',
      'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
      '',
      '--b',
      '',
      'The mailbox is full.',
      '--b',
      'Content-Type: message/rfc822-headers',
      '',
      `Message-ID: ${original}`,
      '--b--',
      '',
    ].join('\r\n');
  let address: string;
  let content: string;

  beforeAll(async () => {
    await submit(bob, 'to be bounced');
    const letter = await arrival('to be bounced');
    const [path = ''] = fieldsOf(letter, 'Return-Path');
    address = path.slice(1, -1);
    content = report(fieldsOf(letter, 'Message-ID')[0] ?? '');
  });

  const answerTo = async (letter: { from: string; to: string; content?: string }) =>
    (await net().receive({ content, ...letter })).replies.get(letter.to);

  test('goes on to the original sender, from the null sender', async () => {
    expect(await answerTo({ from: '', to: address.toLowerCase() })).toMatchObject({ code: 250 });
    const [letter = ''] = await com().inbox(sender);
    expect(letter).toContain('The mailbox is full.');
    expect(fieldsOf(letter, 'Return-Path')).toEqual(['<>']);
  });

  test.each([
    ['a forged hash', () => address.replace(/=(.)/, (_, first) => `=${first === 'a' ? 'b' : 'a'}`), '5.1.1'],
    ['another sender', () => address.replace('sender@', 'eve@'), '5.1.1'],
    ['no rewritten address at all', () => 'SRS0=x@example.net', '5.1.1'],
  ])('%s is nobody', async (_what, forged, enhanced) => {
    expect(await answerTo({ from: '', to: forged() })).toMatchObject({ code: 550, enhanced });
  });

  test('what is no bounce is refused: from a person, or not a report', async () => {
    expect(await answerTo({ from: 'eve@example.org', to: address })).toMatchObject({
      code: 550,
      enhanced: '5.7.1',
    });
    const spam = 'From: eve@example.org\r\nSubject: Buy\r\n\r\nThis\r\n';
    expect(await answerTo({ from: '', to: address, content: spam })).toMatchObject({
      code: 550,
      enhanced: '5.7.1',
    });
  });
});

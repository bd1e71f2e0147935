import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { DossierEvent } from '../dossier/event.ts';
import { eventually } from '../testing/eventually.ts';
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts';
import { freePort } from '../testing/free-ports.ts';
import { LineConnection } from '../testing/line-connection.ts';
import { type Receiver, startReceiver } from '../testing/receiver.ts';
import { type ScriptedPeer, scriptedPeer } from '../testing/scripted-peer.ts';
import { startWorld, type World } from '../testing/world.ts';

const minute = 60_000;
const day = 24 * 60 * minute;
const sender = 'sender@example.com';
const other = 'other@example.com';
/** An alias of both: each may write in its name. */
const team = 'team@example.com';
const recipient = 'ann@example.net';
const accounts = { [sender]: 'secret', [other]: 'secret', 'postmaster@example.com': 'secret' };

let clock: FakeClock;
let world: World<'example.com'>;

const server = () => world.servers['example.com'];

async function begin(port: number): Promise<void> {
  clock = fakeClock(Date.now());
  world = await startWorld({
    servers: { 'example.com': { accounts, settings: { delivery: { port } } } },
    dns: { 'example.net': { MX: [[10, 'mx.example.net']] }, 'mx.example.net': { A: ['127.0.0.1'] } },
    clock,
  });
}

const waiting = async (queueId: string) =>
  (await server().withAdmin((admin) => admin.listQueue({ queueId, limit: 10 }))).jobs[0];

/** Events of a kind, once there are so many. */
function happened<Name extends DossierEvent['event']>(queueId: string, name: Name, count: number) {
  type Wanted = Extract<DossierEvent, { event: Name }>;
  const isWanted = (event: DossierEvent): event is Wanted => event.event === name;
  return eventually(
    async () => {
      const events = (await server().trace(queueId)).filter(isWanted);
      return events.length >= count ? events : undefined;
    },
    { explain: () => `not ${count} events "${name}"` },
  );
}

const unfolded = (letter: string): string => letter.replace(/\r\n[ \t]+/g, ' ');

/** The report in the sender's inbox. */
const report = (): Promise<string> =>
  eventually(
    async () =>
      (await server().inbox(sender)).map(unfolded).find((letter) => letter.includes('multipart/report')),
    { explain: () => 'no report' },
  );

describe('a server that is killed in the middle of a delivery', () => {
  afterEach(() => world[Symbol.asyncDispose]());

  const upToTheDot = [
    'S: 220 mx\nC: EHLO …\nS: 250 mx',
    'C: MAIL …\nS: 250 ok\nC: RCPT …\nS: 250 ok\nC: DATA\nS: 354 go\nC: (message)\n',
  ].join('\n');
  const mute = `${upToTheDot}\n== quiet`;
  const dropping = `${upToTheDot}\n== hang up`;

  /** Submits a letter, and kills the server once its final dot is out and not answered. */
  async function killAtTheDot(peer: ScriptedPeer): Promise<string> {
    const { queueId = '' } = await server().submit({ from: sender, to: recipient });
    await eventually(async () => peer.messages.length === 1 || undefined, { explain: () => 'no final dot' });
    await server().kill(() => peer[Symbol.asyncDispose]());
    await server().start();
    return queueId;
  }

  test('P7: its claim is an outcome of its own, in doubt: tried after ten minutes, and not before', async () => {
    const port = await freePort(['127.0.0.1']);
    const peer = await scriptedPeer([mute], { port });
    await begin(port);
    const queueId = await killAtTheDot(peer);

    const [doubt] = await happened(queueId, 'inDoubt', 1);
    expect(doubt?.data).toMatchObject({
      rule: expect.stringMatching(/nobody knows whether that was tried.*may arrive twice/),
      lostReplies: 1,
      nextAttemptAt: clock.now() + 10 * minute,
    });
    const events = (await server().trace(queueId)).map(({ event }) => event);
    expect(events).not.toContain('deferred');
    expect(events).not.toContain('attempted');
    await using receiver: Receiver = await startReceiver({ address: '127.0.0.1', port });
    clock.advance(10 * minute - 1);
    expect((await waiting(queueId))?.nextAttemptAt).toBe(clock.now() + 1);
    expect(receiver.connections).toBe(0);
    clock.advance(1);
    await happened(queueId, 'delivered', 1);
    expect(receiver.taken).toHaveLength(1);
  });

  test('not-7: the third lost reply, the kill among them, ends in "may have been delivered"', async () => {
    const port = await freePort(['127.0.0.1']);
    const peer = await scriptedPeer([mute], { port });
    await begin(port);
    const queueId = await killAtTheDot(peer);
    await happened(queueId, 'inDoubt', 1);

    await using dropper = await scriptedPeer([dropping, dropping], { port });
    clock.advance(10 * minute);
    const [, second] = await happened(queueId, 'inDoubt', 2);
    expect(second?.data).toMatchObject({ lostReplies: 2, rule: expect.stringMatching(/final dot/) });
    expect(await server().inbox('postmaster@example.com', 0)).toEqual([]);
    clock.advance(((await waiting(queueId))?.nextAttemptAt ?? 0) - clock.now());
    const [failed] = await happened(queueId, 'failed', 1);
    expect(failed?.data.rule).toMatch(/3 attempts ended so: it may have arrived/);
    expect(await report()).toContain('may have been delivered to this recipient, or it may not.');
    expect(await waiting(queueId)).toBeUndefined();
    expect(dropper.connections).toBe(2);
    clock.advance(day);
    expect(dropper.connections).toBe(2);
  });

  test('the end of its time says so too, although only one reply was lost', async () => {
    const port = await freePort(['127.0.0.1']);
    const peer = await scriptedPeer([mute], { port });
    await begin(port);
    const queueId = await killAtTheDot(peer);
    await happened(queueId, 'inDoubt', 1);
    clock.advance(5 * day);
    await happened(queueId, 'failed', 1);
    const told = await eventually(
      async () =>
        (await server().inbox(sender)).map(unfolded).find((letter) => letter.includes('Action: failed')),
      { explain: () => 'no report of a failure' },
    );
    expect(told).toContain('may have been delivered to this recipient, or it may not.');
  });
});

describe('a client that hands in the same letter again', () => {
  let receiver: Receiver;
  let letters = 0;
  beforeAll(async () => {
    const port = await freePort(['127.0.0.1']);
    receiver = await startReceiver({ address: '127.0.0.1', port });
    await begin(port);
    await server().withAdmin((admin) => admin.setAlias({ address: team, targets: [sender, other] }));
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await receiver[Symbol.asyncDispose]();
  });

  interface HandedIn {
    user?: string;
    to?: string;
    content: string;
  }

  /** What a program sends that writes it once, and keeps it until it is taken. */
  function newLetter() {
    const messageId = `<${++letters}@example.com>`;
    const content = `From: ${team}\r\nMessage-ID: ${messageId}\r\nDate: Mon, 5 Jan 2026 12:00:00 +0000\r\n\r\nHello.\r\n`;
    return { messageId, content };
  }

  /** Hands it in as far as the final dot; the answer is not read yet. */
  async function handIn({ user = sender, to = recipient, content }: HandedIn): Promise<LineConnection> {
    const { address, port, host } = server().endpoint('submission');
    const client = await LineConnection.open({ address, port });
    const reply = async (command?: string) => {
      if (command !== undefined) client.write(`${command}\r\n`);
      let line = await client.line();
      while (line[3] === '-') line = await client.line();
      return line;
    };
    await reply();
    await reply('EHLO c');
    await reply('STARTTLS');
    await client.startTls({ host, authority: world.authority.cert });
    await reply('EHLO c');
    const secret = Buffer.from(`\0${user}\0secret`).toString('base64');
    expect(await reply(`AUTH PLAIN ${secret}`)).toMatch(/^235 /);
    expect(await reply(`MAIL FROM:<${team}>`)).toMatch(/^250 /);
    expect(await reply(`RCPT TO:<${to}>`)).toMatch(/^250 /);
    expect(await reply('DATA')).toMatch(/^354 /);
    client.write(`${content}.\r\n`);
    return client;
  }

  /** The connection breaks at the answer. Resolves to the queue id in it, which the client has never heard. */
  async function loseAnswer({ messageId, content }: ReturnType<typeof newLetter>): Promise<string> {
    await using _client = await handIn({ content });
    return (await server().event(messageId, 'delivered')).queueId;
  }

  /** Hands it in and hears the answer. Resolves to the queue id in it. */
  async function hear(letter: HandedIn): Promise<string> {
    await using client = await handIn(letter);
    const [, queueId = ''] = /^250 2\.0\.0 Queued as (\S+)/.exec(await client.line()) ?? [];
    expect(await client.ask('QUIT')).toMatch(/^221 /);
    return queueId;
  }

  const arrived = ({ messageId }: { messageId: string }, count: number) =>
    eventually(
      async () =>
        receiver.taken.filter(({ content }) => content.includes(messageId)).length === count || undefined,
      { explain: () => `${messageId} did not arrive ${count} times` },
    );

  test('not-8: hears the 250 that was lost, with the first queue id, and it is sent once', async () => {
    const letter = newLetter();
    const queueId = await loseAnswer(letter);
    expect(await hear(letter)).toBe(queueId);
    expect(await server().event(queueId, 'repeated')).toBeDefined();
    await arrived(letter, 1);
    // Who has heard it means what comes after.
    expect(await hear(letter)).not.toBe(queueId);
    await arrived(letter, 2);
  });

  test('and has heard the 250, means it', async () => {
    const letter = newLetter();
    expect(await hear(letter)).not.toBe(await hear(letter));
    await arrived(letter, 2);
  });

  test.each<[string, (letter: string) => HandedIn]>([
    ['to somebody else', (content) => ({ content, to: 'bob@example.net' })],
    ['with another word', (content) => ({ content: content.replace('Hello', 'Hallo') })],
    ['as another user', (content) => ({ user: other, content })],
  ])('%s, sends another letter', async (_, change) => {
    const letter = newLetter();
    const queueId = await loseAnswer(letter);
    expect(await hear(change(letter.content))).not.toBe(queueId);
    await arrived(letter, 2);
  });

  test('after ten minutes, sends another letter', async () => {
    const letter = newLetter();
    const queueId = await loseAnswer(letter);
    // By then the server has noticed that the connection broke, and nothing is under way.
    await server().event(await hear(newLetter()), 'delivered');
    clock.advance(10 * minute);
    expect(await hear(letter)).not.toBe(queueId);
    await arrived(letter, 2);
  });
});

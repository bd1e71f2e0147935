import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../testing/eventually.ts';
import { freePort } from '../testing/free-ports.ts';
import type { Letter } from '../testing/letter.ts';
import { scriptedPeer } from '../testing/scripted-peer.ts';
import { startWorld, type World } from '../testing/world.ts';

const sender = 'sender@example.com';
const recipient = 'ann@example.net';

let world: World<'example.com'>;
let port: number;
let domains = 0;

beforeAll(async () => {
  port = await freePort(['127.0.0.1']);
  world = await startWorld({
    servers: { 'example.com': { accounts: { [sender]: 'secret' }, settings: { delivery: { port } } } },
  });
});
afterAll(() => world[Symbol.asyncDispose]());

const server = () => world.servers['example.com'];

const old = 'S: 220 mx\nC: EHLO …\nS: 250-mx\nS: 250 SIZE 100000';
const takes = 'C: MAIL …\nS: 250 ok\nC: RCPT …\nS: 250 ok\nC: DATA\nS: 354 go\nC: (message)\nS: 250 taken';

/** Sends a letter to a receiver that knows SIZE and nothing else. A domain of its own, so that no test waits for another. */
async function sendTo(script: string, { to = recipient, ...letter }: Partial<Letter>) {
  const domain = `d${++domains}.example`;
  world.dns.change({ [domain]: { MX: [[10, `mx.${domain}`]] }, [`mx.${domain}`]: { A: ['127.0.0.1'] } });
  await using peer = await scriptedPeer([`${script}\nC: QUIT\nS: 221 bye`], { port });
  const there = [to].flat().map((address) => address.replace('example.net', domain));
  const { queueId = '' } = await server().submit({ from: sender, to: there, ...letter });
  const [outcome] = await server().settled(queueId);
  return { queueId, state: outcome?.state, message: peer.messages[0] ?? '' };
}

/** The report about a letter, its lines unfolded. */
const reportOn = (queueId: string): Promise<string> =>
  eventually(
    async () => {
      const reports = (await server().inbox(sender)).map((each) => each.replace(/\r\n[ \t]+/g, ' '));
      return reports.find((report) => report.includes(`X-Posthorn-Queue-ID: ${queueId}\r\n`));
    },
    { explain: () => `no report about ${queueId}` },
  );

const header = (subject: string) => `From: ${sender}\r\nTo: ${recipient}\r\nSubject: ${subject}\r\n`;
const plain =
  'MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n';

describe('a receiver without 8BITMIME', () => {
  test("M5: has our own users' mail in quoted-printable, signed once, anew", async () => {
    const content = `${header('hello')}${plain}\r\nGrüße, and much that is ASCII.\r\n`;
    const { state, message } = await sendTo(`${old}\n${takes}`, { content });
    expect(state).toBe('delivered');
    expect(message).toMatch(/^Content-Transfer-Encoding: quoted-printable\r$/m);
    expect(message).toContain('Gr=C3=BC=C3=9Fe, and much');
    expect(message.match(/^DKIM-Signature:/gm)).toHaveLength(1);
  });

  test('not-9: never has a multipart/signed changed: it comes back with 5.6.3, and why', async () => {
    const part = `${plain.replace('MIME-Version: 1.0\r\n', '')}\r\nGrüße.\r\n`;
    const type =
      'Content-Type: multipart/signed; boundary=b; protocol="application/pgp-signature"; micalg=pgp-sha256\r\n';
    const signature = 'Content-Type: application/pgp-signature\r\n\r\nx\r\n';
    const content = `${header('signed')}MIME-Version: 1.0\r\n${type}\r\n--b\r\n${part}--b\r\n${signature}--b--\r\n`;
    const { state, queueId } = await sendTo(old, { content });
    expect(state).toBe('failed');
    const report = await reportOn(queueId);
    expect(report).toMatch(/^Status: 5\.6\.3\r$/m);
    expect(report).toContain('a multipart/signed must not be changed');
  });
});

describe('a receiver without SMTPUTF8', () => {
  test.each([
    ['an address that needs it', '5.6.7', { to: 'jürgen@example.net' }],
    ['a header that needs it', '5.6.9', { content: `${header('Grüße')}\r\nHello.\r\n`, smtputf8: true }],
  ])('%s comes back with %s', async (_, status, letter) => {
    const { state, queueId } = await sendTo(old, letter);
    expect(state).toBe('failed');
    const report = await reportOn(queueId);
    expect(report).toMatch(new RegExp(`^Status: ${status.replaceAll('.', '\\.')}\\r$`, 'm'));
    expect(report).toContain('does not take internationalized mail (SMTPUTF8)');
  });

  test('has what was only declared so by the client', async () => {
    const { state, message } = await sendTo(`${old}\n${takes}`, { smtputf8: true });
    expect(state).toBe('delivered');
    expect(message).toContain('Hello.');
  });
});

test('M5: what is larger than the receiver takes is not offered to it: 5.3.4', async () => {
  const { state, queueId } = await sendTo(old, { text: `${'x'.repeat(70)}\n`.repeat(2000) });
  expect(state).toBe('failed');
  expect(await reportOn(queueId)).toMatch(/^Status: 5\.3\.4\r$/m);
});

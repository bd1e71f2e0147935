import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../testing/eventually.ts';
import type { Letter } from '../testing/letter.ts';
import { scriptedPeer } from '../testing/scripted-peer.ts';
import { startWorld, type World } from '../testing/world.ts';

const sender = 'sender@example.com';
const recipient = 'recipient@example.net';

let world: World<'example.com' | 'example.net'>;
let letters = 0;

beforeAll(async () => {
  const domain = [{ name: 'example.com', postmaster: 'boss@example.com' }];
  world = await startWorld({
    servers: {
      'example.com': { accounts: { [sender]: 'secret', 'boss@example.com': 'secret' }, settings: { domain } },
      'example.net': { accounts: { [recipient]: 'secret', 'other@example.net': 'secret' } },
    },
  });
  await world.servers['example.net'].withAdmin((admin) =>
    admin.setAlias({ address: 'all@example.net', targets: [recipient, 'other@example.net'] }),
  );
});
afterAll(() => world[Symbol.asyncDispose]());

const com = () => world.servers['example.com'];

/** Submits a letter that asks for something; resolves to its queue id and its subject. */
async function submit(letter: Partial<Letter>): Promise<{ queueId: string; subject: string }> {
  const subject = `Letter ${++letters}`;
  const { queueId = '' } = await com().submit({ from: sender, to: recipient, subject, ...letter });
  return { queueId, subject };
}

const unfolded = (letter: string): string => letter.replace(/\r\n[ \t]+/g, ' ');

/** The report about a letter that has arrived, or will. */
function reportOn(subject: string, server = com(), account = sender): Promise<string> {
  return eventually(
    async () =>
      (await server.inbox(account)).map(unfolded).find((each) => each.includes(`Subject: ${subject}`)),
    { explain: () => `no report about "${subject}"` },
  );
}

const reportedFrom = async (queueId: string, server = com()) =>
  (await server.trace(queueId)).flatMap(({ event, data }) =>
    event === 'reported' && 'kind' in data ? [data.kind] : [],
  );

describe('NOTIFY=SUCCESS (RFC 3461 §5.2)', () => {
  const success = { notify: ['success'], orcpt: 'rfc822;First+2BNamed@example.org' } as const;

  test('a mailbox of ours: "delivered", with the names that the sender gave', async () => {
    const { subject } = await submit({
      to: 'boss@example.com',
      requests: { envid: 'QQ 314' },
      recipientRequests: success,
    });
    const report = await reportOn(subject);
    expect(report).toMatch(/^Subject: Delivered: your message to boss@example\.com\r$/m);
    expect(report).toMatch(/^Original-Envelope-Id: QQ 314\r$/m);
    expect(report).toMatch(/^Original-Recipient: rfc822;First\+Named@example\.org\r$/m);
    expect(report).toMatch(/^Final-Recipient: rfc822;boss@example\.com\r$/m);
    expect(report).toMatch(/^Action: delivered\r$/m);
    expect(report).toMatch(/^Status: 2\.0\.0\r$/m);
    expect(report).toMatch(/^Return-Path: <>\r$/m);
    expect(report).not.toContain('Hello.');
  });

  test('a receiver with DSN: it is asked, and it alone reports', async () => {
    const { queueId, subject } = await submit({ requests: { envid: 'far' }, recipientRequests: success });
    const report = await reportOn(subject);
    expect(report).toMatch(/^Reporting-MTA: dns; mx\.example\.net\r$/m);
    expect(report).toMatch(/^Original-Envelope-Id: far\r$/m);
    expect(report).toMatch(/^Original-Recipient: rfc822;First\+Named@example\.org\r$/m);
    expect(report).toMatch(/^Action: delivered\r$/m);
    expect(await reportedFrom(queueId)).toEqual([]);
  });

  test('an alias of several people: "expanded", once, and nothing of them (§5.2.7.3 c)', async () => {
    const { subject } = await submit({ to: 'all@example.net', recipientRequests: success });
    const report = await reportOn(subject);
    expect(report).toMatch(/^Final-Recipient: rfc822;all@example\.net\r$/m);
    expect(report).toMatch(/^Action: expanded\r$/m);
    expect(report).not.toContain(recipient);
    const net = world.servers['example.net'];
    const { queueId } = await net.event('all@example.net', 'accepted');
    await net.settled(queueId);
    expect(await reportedFrom(queueId, net)).toEqual(['success']);
  });

  test('a receiver without DSN: "relayed" (§5.2.2 b)', async () => {
    await using peer = await scriptedPeer([
      `S: 220 mx
       C: EHLO …
       S: 250 mx
       C: MAIL FROM:<sender@example.com>
       S: 250 ok
       C: RCPT TO:<x@example.org>
       S: 250 ok
       C: DATA
       S: 354 go
       C: (message)
       S: 250 2.6.0 taken
       C: QUIT
       S: 221 bye`,
    ]);
    await using lonely = await startWorld({
      servers: {
        'example.com': {
          accounts: { [sender]: 'secret' },
          settings: { delivery: { port: peer.endpoint.port } },
        },
      },
      dns: { 'example.org': { MX: [[10, 'mx.example.org']] }, 'mx.example.org': { A: ['127.0.0.1'] } },
    });
    const server = lonely.servers['example.com'];
    await server.submit({ from: sender, to: 'x@example.org', subject: 'To old', recipientRequests: success });
    const report = await reportOn('To old', server);
    expect(report).toMatch(/^Action: relayed\r$/m);
    expect(report).toMatch(/^Remote-MTA: dns; mx\.example\.org\r$/m);
    expect(report).toMatch(/^Diagnostic-Code: smtp; 250 2\.6\.0 taken\r$/m);
    expect(report).toMatch(/^Status: 2\.6\.0\r$/m);
  });

  test('the null sender is told nothing', async () => {
    const content = 'From: sender@example.com\r\nSubject: automatic\r\n\r\nHello.\r\n';
    const { queueId = '' } = await com().receive({
      from: '',
      to: 'boss@example.com',
      content,
      recipientRequests: success,
    });
    await com().settled(queueId);
    expect(await reportedFrom(queueId)).toEqual([]);
  });
});

describe('what is asked of reports about failures', () => {
  const gone = 'gone@example.net';

  test('P8: NOTIFY=NEVER: no report, and the postmaster hears of it (RFC 3461 §5.2.2 d)', async () => {
    const { queueId } = await submit({ to: gone, recipientRequests: { notify: ['never'] } });
    expect(await com().settled(queueId)).toMatchObject([{ state: 'failed' }]);
    expect(await reportedFrom(queueId)).toEqual(['postmaster']);
  });

  test('P8: NOTIFY=SUCCESS alone: no report of a failure (§5.2.6 b)', async () => {
    const { queueId } = await submit({ to: gone, recipientRequests: { notify: ['success'] } });
    expect(await com().settled(queueId)).toMatchObject([{ state: 'failed' }]);
    expect(await reportedFrom(queueId)).toEqual(['postmaster']);
  });

  test('P8: RET=FULL: all of the message goes back; else its header (§4.3)', async () => {
    const full = await submit({
      to: gone,
      text: 'Grüße, all of them.\n',
      requests: { ret: 'full', envid: 'e1' },
    });
    const report = await reportOn(full.subject);
    expect(report).toMatch(/^Content-Type: message\/rfc822\r$/m);
    expect(report).toContain('=C3=BC');
    expect(report).toMatch(/^Original-Envelope-Id: e1\r$/m);
    const headers = await submit({ to: gone, text: 'Secret.\n', requests: { ret: 'headers' } });
    expect(await reportOn(headers.subject)).not.toContain('Secret.');
  });
});

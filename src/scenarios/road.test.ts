import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatTimeline } from '../dossier/timeline.ts';
import { LineConnection } from '../testing/line-connection.ts';
import { startWorld, type World } from '../testing/world.ts';

const sender = 'sender@example.com';
const other = 'other@example.com';
const recipient = 'recipient@example.net';

let world: World<'example.com' | 'example.net'>;
let letters = 0;

beforeAll(async () => {
  world = await startWorld({
    servers: {
      'example.com': { accounts: { [sender]: 'secret', [other]: 'secret' } },
      'example.net': { accounts: { [recipient]: 'secret' } },
    },
  });
});
afterAll(() => world[Symbol.asyncDispose]());

const com = () => world.servers['example.com'];
const net = () => world.servers['example.net'];

/** Submits a letter and resolves when it has arrived: to its queue id here and the text as it was fetched there. */
async function letter(content: string, to: string | string[] = recipient) {
  letters++;
  const { queueId = '' } = await com().submit({ from: sender, to, content });
  const recipients = await com().settled(queueId);
  const inbox = await net().inbox(recipient, letters);
  return { queueId, recipients, received: inbox.find((text) => text.includes(`id ${queueId}`)) ?? '' };
}

const body = 'Hello.\r\n\r\n.\r\n..\r\n.dot\r\n \r\n\tgr\u00fc\u00dfe\r\nFrom the end.\r\n';
const header =
  'From: "S. Ender" <sender@example.com>\r\nTo: recipient@example.net\r\nSubject: =?utf-8?q?a?=\r\n  folded \r\n' +
  'Date: Sun, 22 Nov 2026 01:00:00 +0000\r\nMessage-ID: <road@example.com>\r\nMIME-Version: 1.0\r\n' +
  'Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n';

describe('a letter from example.com to example.net', () => {
  test('P1: P2: P3: not-9: arrives octet for octet, with nothing but fields before it', async () => {
    const { received } = await letter(`${header}\r\n${body}`);
    expect(received.endsWith(`${header}\r\n${body}`)).toBe(true);
    const added = received.slice(0, -`${header}\r\n${body}`.length);
    expect(added.replace(/\r\n[ \t]+/g, ' ').match(/^[\w-]+(?=:)/gm)).toEqual([
      'Return-Path',
      'Delivered-To',
      'X-Posthorn-Verdict',
      'Authentication-Results',
      'Received',
      'Received',
      'DKIM-Signature',
    ]);
  });

  test('P3: P2: lies in the Maildir with LF line ends, of the sizes that its name tells', async () => {
    await letter(`${header}\r\n${body}`);
    const [file = ''] = await net().files(recipient);
    const octets = await readFile(file, 'latin1');
    expect(file).toMatch(/\/accounts\/recipient@example\.net\/Maildir\/(?:new|cur)\/\d+\.[^/]+$/);
    expect(octets).not.toContain('\r');
    expect(file).toContain(`,S=${octets.length},W=${octets.replaceAll('\n', '\r\n').length}`);
  });

  test('P4: duty-4: each server writes where it had it from, the first one not from whom', async () => {
    const { received } = await letter(`${header}\r\n${body}`);
    const [last = '', earlier = ''] = received.replace(/\r\n[ \t]+/g, ' ').match(/^Received: .*$/gm) ?? [];
    expect(last).toMatch(
      /^Received: from mx\.example\.com \(mx\.example\.com \[.*\]\) by mx\.example\.net with ESMTPS /,
    );
    expect(last).toContain(`for <${recipient}>`);
    expect(earlier).toMatch(/^Received: by mx\.example\.com with ESMTPSA /);
    expect(earlier).not.toContain('127.0.0.1');
  });

  test('P11: M9: not-16: is signed, checked and found genuine', async () => {
    const { received } = await letter(`${header}\r\n${body}`);
    const unfolded = received.replace(/\r\n[ \t]+/g, ' ');
    expect(unfolded).toMatch(/^DKIM-Signature: .*c=relaxed\/relaxed;.*d=example\.com;/m);
    const [results = ''] = unfolded.match(/^Authentication-Results: mx\.example\.net; .*$/m) ?? [];
    for (const verdict of ['spf=pass', 'dkim=pass', 'dmarc=pass']) expect(results).toContain(verdict);
  });

  test('M3: M8: a blind copy arrives, and nobody sees it', async () => {
    const { received, recipients } = await letter(`Bcc: ${other}\r\n${header}\r\n${body}`, [
      recipient,
      other,
    ]);
    expect(recipients.map(({ state }) => state)).toEqual(['delivered', 'delivered']);
    const [copy = ''] = await com().inbox(other);
    for (const text of [received, copy]) expect(text).not.toMatch(/^Bcc/m);
    expect(received).not.toContain(other);
  });

  test('P10: is fetched by POP3 over TLS, and the password is not taken without', async () => {
    await letter(`${header}\r\n${body}`);
    const fetched = await net().fetch(recipient);
    expect(fetched.tls.certificate).toBe('verified');
    await using clear = await LineConnection.open(net().endpoint('pop3'));
    await clear.line();
    expect(await clear.ask(`USER ${recipient}`)).toMatch(/^-ERR/);
  });

  test('P14: its dossier tells the whole road, with every line', async () => {
    const { queueId } = await letter(`${header}\r\n${body}`);
    const story = formatTimeline(await com().trace(queueId), { explain: false });
    for (const said of [
      'C: AUTH PLAIN ***',
      'C: STARTTLS',
      'Signed with DKIM for example.com',
      'certificate: verified',
      `C: RCPT TO:<${recipient}>`,
      'S: 250 2.0.0 Queued as',
      'MX example.net',
    ])
      expect(story).toContain(said);
    expect(story).not.toContain('c2VjcmV0'); // "secret"
  });

  test('P14: is found by its queue id, its Message-ID and the addresses', async () => {
    const { queueId } = await letter(`${header.replace('road@', 'findable@')}\r\n${body}`);
    for (const subject of [queueId, '<findable@example.com>', 'findable@example.com'])
      expect(new Set((await com().trace(subject)).map((event) => event.queueId))).toEqual(new Set([queueId]));
    for (const subject of [sender, recipient])
      expect((await com().trace(subject)).map((event) => event.queueId)).toContain(queueId);
  });
});

describe("a user's own mail", () => {
  test('P3: a local recipient has it within a second', async () => {
    const { queueId = '' } = await com().submit({ from: sender, to: sender, subject: 'to myself' });
    expect((await com().settled(queueId)).map(({ state }) => state)).toEqual(['delivered']);
    const delivered = await com().event(queueId, 'delivered');
    expect(delivered.data).toMatchObject({ folder: 'Inbox' });
    expect(delivered.at - (await com().event(queueId, 'accepted')).at).toBeLessThan(1000);
  });

  test('not-10: nobody sends as another', async () => {
    await expect(com().submit({ from: other, to: recipient }, sender)).resolves.toMatchObject({
      replies: new Map([[recipient, expect.objectContaining({ code: 553, enhanced: '5.7.1' })]]),
    });
    const content = `${header.replace('<sender@', '<other@')}\r\n${body}`;
    const { replies } = await com().submit({ from: sender, to: recipient, content });
    expect(replies.get(recipient)).toMatchObject({ code: 550, enhanced: '5.7.1' });
  });
});

describe('people behind addresses', () => {
  test('M1: a mailbox beyond ASCII gets mail from one', async () => {
    const jorg = 'jörg@example.com';
    await com().addAccount(jorg, 'secret');
    const { replies } = await com().receive({
      from: 'müller@bücher.example',
      to: jorg,
      content: 'From: =?utf-8?q?M?= <müller@bücher.example>\r\nSubject: grüße\r\n\r\nHallo.\r\n',
    });
    expect(replies.get(jorg)?.code).toBe(250);
    const { data } = await com().event(jorg, 'delivered');
    expect(await readFile(data.file ?? '', 'utf8')).toContain('Subject: grüße');
  });

  test('an account that is removed takes its dossiers with it', async () => {
    const gone = 'gone@example.com';
    await com().addAccount(gone, 'secret');
    const { queueId = '' } = await com().submit({ from: gone, to: gone });
    await com().settled(queueId);
    expect(await com().trace(gone)).not.toEqual([]);
    await com().withAdmin((admin) => admin.removeAccount({ address: gone, now: true }));
    expect(await com().trace(gone)).toEqual([]);
    expect(await com().trace(queueId)).toEqual([]);
    const { replies } = await com().receive({ from: 'a@b.example', to: gone });
    expect(replies.get(gone)).toMatchObject({ code: 550, enhanced: '5.1.1' });
  });
});

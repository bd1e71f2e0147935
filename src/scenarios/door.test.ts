import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Protocol } from '../config/listeners.ts';
import { LineConnection } from '../testing/line-connection.ts';
import { startWorld, type World } from '../testing/world.ts';

const recipient = 'recipient@example.net';

/** example.net is as everybody meets it; example.com trusts this machine. */
let world: World<'example.com' | 'example.net'>;

beforeAll(async () => {
  world = await startWorld({
    servers: {
      'example.com': {
        accounts: { 'sender@example.com': 'secret' },
        settings: { relay: { trustedNetworks: ['127.0.0.0/8'] } },
      },
      'example.net': { accounts: { [recipient]: 'secret' }, settings: { limits: { messageBytes: 20_000 } } },
    },
    dns: {
      'strict.example': { MX: [[10, 'mx.strict.example']], TXT: ['v=spf1 -all'] },
      '_dmarc.strict.example': { TXT: ['v=DMARC1; p=reject'] },
    },
  });
});
afterAll(() => world[Symbol.asyncDispose]());

const net = () => world.servers['example.net'];

const open = (protocol: Protocol, domain: 'example.com' | 'example.net' = 'example.net') =>
  LineConnection.open(world.servers[domain].endpoint(protocol, '127.0.0.1'));

/** Reads a whole reply. */
async function reply(client: LineConnection): Promise<string[]> {
  const lines = [await client.line()];
  while (/^\d{3}-/.test(lines.at(-1) ?? '')) lines.push(await client.line());
  return lines;
}

async function ask(client: LineConnection, command: string): Promise<string[]> {
  client.write(`${command}\r\n`);
  return reply(client);
}

async function secure(client: LineConnection): Promise<void> {
  expect(await client.ask('STARTTLS')).toMatch(/^220 2\.0\.0 /);
  await client.startTls({ host: net().config.hostname, authority: world.authority.cert });
}

const keywords = (lines: string[]): string[] => lines.slice(1).map((line) => line.slice(4));

describe('the door', () => {
  test('M4: lists its extensions; STARTTLS goes with TLS, and AUTH comes only on submission', async () => {
    const common = [
      'PIPELINING',
      'SIZE 20000',
      '8BITMIME',
      'SMTPUTF8',
      'ENHANCEDSTATUSCODES',
      'CHUNKING',
      'DSN',
      `LIMITS RCPTMAX=${net().config.limits.recipients}`,
    ];
    for (const [protocol, auth] of [
      ['smtp', []],
      [
        'submission',
        [
          expect.stringMatching(/^FUTURERELEASE 2592000 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
          'DELIVERBY',
          'MT-PRIORITY',
          'AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN',
        ],
      ],
    ] as const) {
      await using client = await open(protocol);
      await reply(client);
      expect(keywords(await ask(client, 'EHLO c'))).toEqual([...common, 'STARTTLS']);
      await secure(client);
      expect(keywords(await ask(client, 'EHLO c'))).toEqual([...common, 'REQUIRETLS', ...auth]);
    }
  });

  test('M4: every reply but greeting, hello and 354 has an enhanced code', async () => {
    await using client = await open('smtp');
    await reply(client);
    await ask(client, 'EHLO c');
    const commands = [
      'NOOP',
      'HELP',
      'VRFY x',
      'BOGUS',
      'RSET',
      'MAIL FROM:<a@b.example> X=1',
      'RCPT TO:<x@y.example>',
    ];
    const talk = ['MAIL FROM:<a@b.example>', 'RCPT TO:<nobody@example.net>', 'AUTH PLAIN', 'DATA', 'QUIT'];
    for (const command of [...commands, ...talk])
      for (const line of await ask(client, command)) expect(line).toMatch(/^(\d)\d\d[ -]\1\.\d+\.\d+ /);
  });

  test('P5: P6: duty-3: not-4: tells strangers what they may and may not', async () => {
    await using client = await open('smtp');
    await reply(client);
    expect(await client.ask('HELO c')).toBe('250 mx.example.net');
    expect(await client.ask(`VRFY ${recipient}`)).toBe(await client.ask('VRFY nobody@example.net'));
    expect(await client.ask('MAIL FROM:<>')).toMatch(/^250 /);
    expect(await client.ask('RCPT TO:<ann@elsewhere.example>')).toMatch(/^550 5\.7\.1 Relaying denied/);
    expect(await client.ask('RCPT TO:<nobody@example.net>')).toMatch(/^550 5\.1\.1 /);
    expect(await client.ask(`RCPT TO:<${recipient}>`)).toMatch(/^250 /);
  });

  test('duty-1: postmaster and abuse reach a person', async () => {
    const { replies } = await net().receive({
      from: 'a@b.example',
      to: ['postmaster', 'postmaster@example.net', 'abuse@example.net'],
      content: 'From: a@b.example\r\nSubject: for the postmaster\r\n\r\nHello.\r\n',
    });
    expect([...replies.values()].map(({ code }) => code)).toEqual([250, 250, 250]);
    const inbox = await net().inbox(recipient);
    expect(inbox.filter((letter) => letter.includes('Subject: for the postmaster'))).toHaveLength(1);
  });

  test('P4: refuses what is too large: at MAIL, where the client says so, else at its end', async () => {
    await using client = await open('smtp');
    await reply(client);
    await ask(client, 'EHLO c');
    expect(await client.ask('MAIL FROM:<a@b.example> SIZE=20001')).toMatch(/^552 5\.3\.4 /);
    expect(await client.ask('MAIL FROM:<a@b.example>')).toMatch(/^250 /);
    expect(await client.ask(`RCPT TO:<${recipient}>`)).toMatch(/^250 /);
    expect(await client.ask('DATA')).toMatch(/^354 /);
    expect(await client.ask(`${`${'x'.repeat(78)}\r\n`.repeat(300)}.`)).toMatch(/^552 5\.3\.4 /);
    expect(await client.ask('NOOP')).toMatch(/^250 /);
  });

  test('P9: what was said before TLS is forgotten, and what was slipped in after STARTTLS is never heard', async () => {
    await using client = await open('smtp');
    await reply(client);
    await ask(client, 'EHLO c');
    expect(await client.ask('MAIL FROM:<a@b.example>')).toMatch(/^250 /);
    client.write('STARTTLS\r\nRCPT TO:<recipient@example.net>\r\n');
    expect(await client.line()).toMatch(/^220 /);
    await client.startTls({ host: net().config.hostname, authority: world.authority.cert });
    expect(await client.ask('MAIL FROM:<a@b.example>')).toMatch(/^503 5\.5\.1 Say EHLO/);
  });

  test('P1: reads a letter that comes octet by octet; a blank line ends nothing', async () => {
    await using client = await open('smtp');
    await reply(client);
    const said = `HELO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<${recipient}>\r\nDATA\r\n`;
    const letter = 'From: a@b.example\r\nSubject: piecemeal\r\n\r\n\r\nHello.\r\n\r\n..\r\n\r\nBye.\r\n';
    for (const octet of `${said}${letter}.\r\n`) client.write(octet);
    for (const code of [/^250 /, /^250 /, /^250 /, /^354 /, /^250 2\.0\.0 Queued/])
      expect(await client.line()).toMatch(code);
    const found = (await net().inbox(recipient, 2)).find((text) => text.includes('piecemeal'));
    expect(found?.endsWith(letter.replace('\r\n..', '\r\n.'))).toBe(true);
  });
});

describe('typed by hand', () => {
  const commands = `EHLO localhost\r\nMAIL FROM:<bob@pokey.onl>\r\nRCPT TO:<${recipient}>\r\nDATA\r\n`;
  const letter = `From: Bob <bob@pokey.onl>\r\nTo: REDACTED <${recipient}>\r\nSubject: PES Test\r\n\r\nHello from PES.\r\n.\r\n`;
  const typed = `${commands}${letter}QUIT\r\n`;
  const withBareLf = typed
    .replaceAll('\r\n', '\n')
    .replace('PES Test', 'PES by hand')
    .replace('\n.\n', '\r\n.\r\n'); // the end of a message is CRLF.CRLF and nothing else

  test.each([
    ['the printf of the article, piped into nc, is delivered', typed, 'Subject: PES Test'],
    ['so it is with commands that end in a bare LF', withBareLf, 'Subject: PES by hand'],
  ])('P15: %s', async (_, text, subject) => {
    await using client = await open('smtp', 'example.com');
    client.write(text);
    const codes: string[] = [];
    while (codes.at(-1) !== '221') codes.push(((await reply(client)).at(-1) ?? '').slice(0, 3));
    expect(codes).toEqual(['220', '250', '250', '250', '354', '250', '221']);
    await client.closed();
    await expect
      .poll(async () => (await net().inbox(recipient)).some((arrived) => arrived.includes(subject)), {
        timeout: 5000,
      })
      .toBe(true);
  });
});

describe('the sender checks', () => {
  const from = 'a@strict.example';

  test('P11: a forgery is refused at the door, and the dossier says why', async () => {
    const { replies } = await net().receive({ from, to: recipient });
    expect(replies.get(recipient)).toMatchObject({ code: 550, enhanced: '5.7.1' });
    expect((await net().event(from, 'refused')).data.reply).toContain('strict.example');
    expect((await net().event(from, 'checked')).data).toMatchObject({
      spf: 'fail',
      dmarc: 'fail',
      decision: 'reject',
    });
  });

  test('duty-2: a letter that has been here before is refused', async () => {
    const content = `Delivered-To: ${recipient}\r\nFrom: a@b.example\r\n\r\nRound and round.\r\n`;
    const { replies } = await net().receive({ from: 'a@b.example', to: recipient, content });
    expect(replies.get(recipient)).toMatchObject({ code: 554, enhanced: '5.4.6' });
  });

  test('duty-7: a bounce for what was never sent goes to the Junk folder', async () => {
    const content =
      'From: mailer-daemon@b.example\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=x\r\n\r\n' +
      '--x\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <never@example.net>\r\n--x--\r\n';
    const { replies } = await net().receive({ from: '', to: recipient, content });
    expect(replies.get(recipient)?.code).toBe(250);
    await net().event(recipient, 'delivered');
    await expect.poll(() => net().files(recipient, 'Junk'), { timeout: 5000 }).toHaveLength(1);
  });
});

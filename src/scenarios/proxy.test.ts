import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Protocol } from '../config/listeners.ts';
import { freePort } from '../testing/free-ports.ts';
import { LineConnection } from '../testing/line-connection.ts';
import { startWorld, type World } from '../testing/world.ts';

const ours = '127.0.0.1';
const recipient = 'recipient@example.net';
const account = 'sender@example.com';

/** example.com stands behind a proxy at 127.0.0.1; it trusts that network, and that of 203.0.113.0/24. */
let world: World<'example.com' | 'example.net'>;

beforeAll(async () => {
  const behind = ['smtp', 'submission', 'submissions', 'pop3s'] as const;
  const listener = [];
  for (const protocol of behind)
    listener.push({ protocol, address: ours, port: await freePort([ours]), proxyProtocol: ['127.0.0.0/24'] });
  world = await startWorld({
    servers: {
      'example.com': {
        accounts: { [account]: 'secret' },
        settings: { listener, relay: { trustedNetworks: ['127.0.0.0/8', '203.0.113.0/24'] } },
      },
      'example.net': { accounts: { [recipient]: 'secret' } },
    },
    dns: { 'strict.example': { TXT: ['v=spf1 ip4:198.51.100.7 -all'] } },
  });
});
afterAll(() => world[Symbol.asyncDispose]());

const com = () => world.servers['example.com'];
const open = (protocol: Protocol) => LineConnection.open(com().endpoint(protocol, ours));

const version1 = (client: string) =>
  `PROXY TCP${client.includes(':') ? 6 : 4} ${client} ${client} 40000 25\r\n`;

function version2(client: string): string {
  const octets = client.split('.').map(Number);
  const body = Buffer.from([...octets, 192, 0, 2, 1, 0x9c, 0x40, 0, 25, 0x04, 0, 1, 0]);
  return `\r\n\r\n\0\r\nQUIT\n\x21\x11\0${String.fromCharCode(body.length)}${body.toString('latin1')}`;
}

/** Says the lines, each as soon as the one before is answered; resolves to the first words of the answers. */
async function talk(client: LineConnection, lines: readonly string[]): Promise<string[]> {
  const answers = [];
  for (const line of lines) {
    let answer = await client.ask(line);
    while (/^\d{3}-/.test(answer)) answer = await client.line();
    answers.push(answer);
  }
  return answers;
}

async function relay(header: string): Promise<string> {
  await using client = await open('smtp');
  client.write(header);
  expect(await client.line()).toMatch(/^220 /);
  const answers = await talk(client, [
    'HELO c.example',
    'MAIL FROM:<a@strict.example>',
    `RCPT TO:<${recipient}>`,
  ]);
  return answers.at(-1) ?? '';
}

describe('behind a proxy', () => {
  test('who may relay is decided by the address of the client, not by that of the proxy', async () => {
    expect(await relay(version1('198.51.100.7'))).toMatch(/^550 5\.7\.1 Relaying denied/);
    expect(await relay(version2('198.51.100.7'))).toMatch(/^550 5\.7\.1 Relaying denied/);
    expect(await relay(version1('2001:db8::7'))).toMatch(/^550 5\.7\.1 Relaying denied/);
    expect(await relay(version1('203.0.113.9'))).toMatch(/^250 /);
    expect(await relay(version2('203.0.113.9'))).toMatch(/^250 /);
    expect(await relay(version1('::ffff:203.0.113.9'))).toMatch(/^250 /);
  });

  test('a proxy that names no client may not relay, though its own network is trusted', async () => {
    expect(await relay('PROXY UNKNOWN\r\n')).toMatch(/^550 5\.7\.1 Relaying denied/);
    expect(await relay('\r\n\r\n\0\r\nQUIT\n\x20\0\0\0')).toMatch(/^550 5\.7\.1 Relaying denied/);
  });

  test('SPF, Received and dossier are about the client', async () => {
    await using client = await open('smtp');
    client.write(version2('198.51.100.7'));
    await client.line();
    const answers = await talk(client, [
      'EHLO c.example',
      'MAIL FROM:<a@strict.example>',
      `RCPT TO:<${account}>`,
      'DATA',
      'From: a@strict.example\r\nSubject: hello\r\n\r\nhello\r\n.',
    ]);
    const queueId = /Queued as (\S+)/.exec(answers.at(-1) ?? '')?.[1] ?? '';
    const accepted = await com().event(queueId, 'accepted');
    expect(accepted.data.client).toMatchObject({ address: '198.51.100.7' });
    expect((await com().event(queueId, 'checked')).data.spf).toBe('pass');
    await com().event(queueId, 'delivered');
    const [letter = ''] = await readBehind();
    expect(letter).toMatch(/^Received: from c\.example \([^)]*\[198\.51\.100\.7\]\)/m);
  });

  test('implicit TLS and STARTTLS come after the header; who logs in, and fails to, is the client', async () => {
    for (const protocol of ['submissions', 'submission'] as const) {
      await using client = await open(protocol);
      client.write(version1('198.51.100.77'));
      if (protocol === 'submission') {
        await client.line();
        await talk(client, ['EHLO c.example', 'STARTTLS']);
      }
      await client.startTls({ host: com().config.hostname, authority: world.authority.cert });
      if (protocol === 'submissions') expect(await client.line()).toMatch(/^220 /);
      const wrong = Buffer.from(`\0${account}\0wrong`).toString('base64');
      const right = Buffer.from(`\0${account}\0secret`).toString('base64');
      expect(await talk(client, ['EHLO c.example', `AUTH PLAIN ${wrong}`, `AUTH PLAIN ${right}`])).toEqual([
        expect.stringMatching(/^250 /),
        expect.stringMatching(/^535 /),
        expect.stringMatching(/^235 /),
      ]);
    }
    expect(readFileSync(com().logFile, 'utf8')).toMatch(/"client":"198\.51\.100\.77".*authentication failed/);
  });

  test('what is no header closes the connection, and the log says why', async () => {
    for (const nonsense of [
      'EHLO c.example\r\n',
      'PROXY TCP4 1.2.3.4 nowhere 1 2\r\n',
      '\r\n\r\n\0\r\nQUIT\n\x31\x11\0\0',
    ]) {
      await using client = await open('smtp');
      client.write(nonsense);
      await client.closed();
    }
    expect(readFileSync(com().logFile, 'utf8')).toMatch(/malformed PROXY header: no PROXY header/);
  });
});

/** By POP3, through the proxy too. */
async function readBehind(): Promise<string[]> {
  await using client = await open('pop3s');
  client.write(version1('198.51.100.7'));
  await client.startTls({ host: com().config.hostname, authority: world.authority.cert });
  await client.line();
  expect(await client.ask(`USER ${account}`)).toMatch(/^\+OK/);
  expect(await client.ask('PASS secret')).toMatch(/^\+OK/);
  const count = Number((await client.ask('STAT')).split(' ')[1]);
  const letters = [];
  for (let number = 1; number <= count; number++) {
    const lines = [await client.ask(`RETR ${number}`)];
    while (lines.at(-1) !== '.') lines.push(await client.line());
    letters.push(lines.slice(1).join('\n'));
  }
  return letters;
}

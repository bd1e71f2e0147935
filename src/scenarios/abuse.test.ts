import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Protocol } from '../config/listeners.ts';
import { fakeClock } from '../testing/fake-clock.ts';
import { freePort } from '../testing/free-ports.ts';
import { LineConnection } from '../testing/line-connection.ts';
import { startWorld, type World } from '../testing/world.ts';

const ours = '127.0.0.1';
const bob = 'bob@example.com';
const minute = 60_000;

/** Behind a proxy, so that one machine can be all of the clients; nothing is exempt. */
let world: World<'example.com'>;
const clock = fakeClock(Date.now());

beforeAll(async () => {
  const listener = [];
  for (const protocol of ['smtp', 'submissions', 'pop3s'] as const)
    listener.push({ protocol, address: ours, port: await freePort([ours]), proxyProtocol: [ours] });
  world = await startWorld({
    clock,
    servers: {
      'example.com': {
        accounts: { [bob]: 'secret' },
        settings: {
          listener,
          relay: { trustedNetworks: ['10.0.0.0/8'] },
          abuse: { exempt: [], authFailures: 3, accountAuthFailures: 8, badRecipients: 7, badCommands: 30 },
        },
      },
    },
    dns: {},
  });
});
afterAll(() => world[Symbol.asyncDispose]());

const com = () => world.servers['example.com'];

/** Time passes for the server while it makes somebody wait. */
async function passing<T>(work: Promise<T>): Promise<T> {
  let isOver = false;
  const over = work.finally(() => {
    isOver = true;
  });
  void (async () => {
    for (; !isOver; await new Promise((resolve) => setTimeout(resolve, 1))) clock.advance(100);
  })();
  return over;
}

async function come(
  protocol: Protocol,
  client: string,
): Promise<{ session: LineConnection; greeting: string }> {
  const session = await LineConnection.open(com().endpoint(protocol, ours));
  session.write(`PROXY TCP${client.includes(':') ? '6' : '4'} ${client} ${client} 40000 25\r\n`);
  if (protocol !== 'smtp')
    await session.startTls({ host: com().config.hostname, authority: world.authority.cert });
  const greeting = await session.line().catch(() => 'closed');
  return { session, greeting };
}

async function say(session: LineConnection, line: string): Promise<string> {
  let answer = await passing(session.ask(line));
  while (/^\d{3}-/.test(answer)) answer = await session.line();
  return answer;
}

const plain = (password: string) => Buffer.from(`\0${bob}\0${password}`).toString('base64');

async function smtpLogin(client: string, password: string): Promise<string> {
  const { session, greeting } = await come('submissions', client).catch(() => ({
    session: undefined,
    greeting: 'closed',
  }));
  if (session === undefined || !greeting.startsWith('220')) return 'closed';
  await using _ = session;
  await say(session, 'EHLO c.example');
  return await say(session, `AUTH PLAIN ${plain(password)}`);
}

async function pop3Login(client: string, password: string): Promise<string> {
  const { session, greeting } = await come('pop3s', client).catch(() => ({
    session: undefined,
    greeting: 'closed',
  }));
  if (session === undefined || !greeting.startsWith('+OK')) return 'closed';
  await using _ = session;
  await say(session, `USER ${bob}`);
  return await say(session, `PASS ${password}`);
}

async function greetingOf(client: string): Promise<string> {
  const { session, greeting } = await come('smtp', client);
  await using _ = session;
  return greeting;
}

describe('abuse', () => {
  test('guesses over SMTP and POP3 are counted together, and ban their client alone; it ends by itself', async () => {
    expect(await smtpLogin('203.0.113.1', 'a')).toMatch(/^535 /);
    expect(await pop3Login('203.0.113.1', 'b')).toMatch(/^-ERR \[AUTH\]/);
    expect(await smtpLogin('203.0.113.1', 'c')).toMatch(/^535 /);
    expect(await pop3Login('203.0.113.1', 'd')).toMatch(
      /^-ERR \[SYS\/TEMP\] 203\.0\.113\.1 may not connect for another 15 minutes: too many failed logins/,
    );
    expect(await greetingOf('203.0.113.1')).toMatch(
      /^421 4\.7\.0 mx\.example\.com 203\.0\.113\.1 may not connect for another 1\d minutes/,
    );
    expect(await smtpLogin('203.0.113.1', 'secret')).toBe('closed');
    expect(await smtpLogin('203.0.113.2', 'secret')).toMatch(/^235 /);
    clock.advance(15 * minute);
    expect(await smtpLogin('203.0.113.1', 'secret')).toMatch(/^235 /);
  });

  test('a ban outlives a restart; who comes back too soon is banned for longer; an operator lifts it', async () => {
    for (const guess of ['e', 'f', 'g']) await pop3Login('203.0.113.1', guess);
    await com().restart();
    const listed = await com().withAdmin((admin) => admin.listBans());
    expect(listed.bans).toMatchObject([{ network: '203.0.113.1', times: 2 }]);
    expect(await greetingOf('203.0.113.1')).toMatch(/another (2\d|30) minutes/);
    const { counts } = await com().withAdmin((admin) => admin.listBans());
    expect(counts?.refused.banned).toBe(1);
    await com().withAdmin((admin) => admin.liftBan({ network: '203.0.113.1', by: 'root' }));
    expect(await greetingOf('203.0.113.1')).toMatch(/^220 /);
  });

  test('an operator bans a block, also for sessions that are open', async () => {
    const { session } = await come('smtp', '198.18.5.5');
    await using _ = session;
    await say(session, 'EHLO c.example');
    await com().withAdmin((admin) =>
      admin.addBan({ network: '198.18.0.0/15', by: 'root', reason: 'enough' }),
    );
    expect(await say(session, 'MAIL FROM:<a@b.example>')).toMatch(
      /^421 4\.7\.0 198\.18\.0\.0\/15 may not connect until that is lifted: enough/,
    );
    expect(await greetingOf('198.19.0.1')).toMatch(/^421 /);
    expect(await greetingOf('198.20.0.1')).toMatch(/^220 /);
  });

  test('an account guessed at from many networks is closed to strangers, not to its owner', async () => {
    expect(await smtpLogin('192.0.2.10', 'secret')).toMatch(/^235 /);
    for (let network = 1; network <= 9; network++) await smtpLogin(`198.51.${network}.1`, `guess ${network}`);
    expect(await smtpLogin('198.51.100.1', 'secret')).toMatch(
      /^454 4\.7\.0 Too many failed logins for this account/,
    );
    expect(await smtpLogin('192.0.2.10', 'secret')).toMatch(/^235 /);
    expect(await pop3Login('192.0.2.10', 'secret')).toMatch(/^\+OK/);
    clock.advance(60 * minute);
    expect(await smtpLogin('198.51.100.1', 'secret')).toMatch(/^235 /);
  });

  test('who asks for people that are not here is answered later and later, then banned; a trusted network never is', async () => {
    for (const [client, isTrusted] of [
      ['2001:db8:5::1', false],
      ['10.1.2.3', true],
    ] as const) {
      const { session } = await come('smtp', client);
      await using _ = session;
      await say(session, 'EHLO c.example');
      await say(session, 'MAIL FROM:<a@b.example>');
      const before = clock.now();
      const answers = [];
      for (let index = 0; index < 8; index++)
        answers.push(await say(session, `RCPT TO:<user${index}@example.com>`));
      const waitedMs = clock.now() - before;
      expect(answers.slice(0, 7)).toEqual(Array(7).fill(expect.stringMatching(/^550 5\.1\.1 /)));
      expect(answers[7]).toMatch(isTrusted ? /^550 / : /^421 4\.7\.0 2001:db8:5::\/64 may not connect/);
      if (!isTrusted) expect(waitedMs).toBeGreaterThanOrEqual(500 + 1000 + 1500);
    }
    expect(await greetingOf('2001:db8:5::2')).toMatch(/^421 /);
    expect(await greetingOf('2001:db8:6::2')).toMatch(/^220 /);
  });

  test('who brings reports to people that are not here is not banned for what others have forged', async () => {
    const { session } = await come('smtp', '203.0.113.77');
    await using _ = session;
    await say(session, 'EHLO c.example');
    await say(session, 'MAIL FROM:<>');
    for (let index = 0; index < 12; index++)
      expect(await say(session, `RCPT TO:<user${index}@example.com>`)).toMatch(/^550 5\.1\.1 /);
  });

  test('who speaks nonsense in session after session is banned', async () => {
    for (let turn = 0; turn < 4; turn++) {
      const { session } = await come('smtp', '192.0.2.66');
      await using _ = session;
      for (let line = 0; line < 9; line++) await say(session, 'GET / HTTP/1.1');
    }
    await expect.poll(() => greetingOf('192.0.2.66')).toMatch(/^421 .*too many commands that are none/);
  });
});

import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, test } from 'vitest';
import { ConfigError } from '../config/problem.ts';
import { runCommand } from '../testing/command-line.ts';
import { LineConnection } from '../testing/line-connection.ts';
import { startWorld, type World } from '../testing/world.ts';

const ann = 'ann@example.com';
const servers = { 'example.com': { accounts: { [ann]: 'secret' } } };

let world: World<'example.com'> | undefined;
afterEach(() => world?.[Symbol.asyncDispose]());

async function start() {
  world = await startWorld({ servers });
  return world.servers['example.com'];
}

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

type Server = Awaited<ReturnType<typeof start>>;

const problemsOf = (reloading: Promise<unknown>) =>
  reloading.then(
    () => expect.unreachable('it should have been refused'),
    (error) => {
      expect(error).toBeInstanceOf(ConfigError);
      return (error as ConfigError).problems; // seen one line above
    },
  );

/** What a client is told that asks for what the server can do. */
async function ehlo(server: Server): Promise<string[]> {
  await using client = await LineConnection.open(server.endpoint('smtp', '127.0.0.1'));
  return await greet(client);
}

async function greet(client: LineConnection): Promise<string[]> {
  await client.line();
  client.write('EHLO client.example\r\n');
  const lines = [await client.line()];
  while (lines.at(-1)?.startsWith('250-')) lines.push(await client.line());
  return lines;
}

describe('RunningServer.reload()', () => {
  test('puts all of a changed file in force, and says what is another way', async () => {
    const server = await start();
    const settings = { messageBytes: 2_000_000, sessionsPerAddress: 1 };
    const { changed, file } = await server.reload((toml) => {
      toml.limits = settings;
      toml.domain = [...(Array.isArray(toml.domain) ? toml.domain : []), { name: 'second.example' }];
    });
    expect({ changed, file }).toEqual({ changed: ['[[domain]]', '[limits]'], file: server.config.file });
    expect(await ehlo(server)).toContainEqual(expect.stringMatching(/SIZE 2000000/));
    await server.addAccount('bob@second.example', 'secret');
    const { replies } = await server.receive({ from: 'a@b.example', to: 'bob@second.example' });
    expect(replies.get('bob@second.example')?.code).toBe(250);
    await using one = await LineConnection.open(server.endpoint('smtp', '127.0.0.1'));
    await using other = await LineConnection.open(server.endpoint('smtp', '127.0.0.1'));
    expect([await one.line(), await other.line()]).toContainEqual(expect.stringMatching(/^421 4\.7\.0 /));
  });

  test('says which mailboxes name a policy that is gone, as the log and doctor do', async () => {
    const server = await start();
    const policy = [{ name: 'strict', junkAt: 3 }];
    await server.reload((toml) => Object.assign(toml, { policy }));
    await server.withAdmin((admin) => admin.changeSettings({ address: ann, policy: 'strict' }));
    const doctor = () =>
      runCommand(['doctor', '--config', server.config.file], { cwd: world?.directory ?? '' });
    expect((await doctor()).out).not.toContain('strict');
    await server.reload((toml) => void delete toml.policy);
    const { out } = await doctor();
    expect(out).toMatch(/^warning +strict: .*ann@example\.com names it.* \[policy-gone\]\n.*--no-policy/m);
    expect(out).toMatch(
      /strict: the default policy judges in its place\n +warning +the policy: ann@example\.com names it.* \[policy-gone\]/,
    );
    expect(await readFile(server.logFile, 'utf8')).toMatch(
      /"policy":"strict","mailboxes":"ann@example\.com"/,
    );
  });

  test('lets a session end as it began', async () => {
    const server = await start();
    await using old = await LineConnection.open(server.endpoint('smtp', '127.0.0.1'));
    await greet(old);
    await server.reload((toml) => {
      toml.limits = { recipients: 1 };
    });
    old.write('MAIL FROM:<a@b.example>\r\n');
    expect(await old.line()).toMatch(/^250 /);
    for (let count = 0; count < 2; count++) {
      old.write(`RCPT TO:<${ann}>\r\n`);
      expect(await old.line()).toMatch(/^250 /);
    }
    expect(await ehlo(server)).toContainEqual(expect.stringMatching(/LIMITS RCPTMAX=1$/));
  });

  test('changes nothing where anything is wrong, and says what, with its line', async () => {
    const server = await start();
    const { file } = server.config;
    const good = await readFile(file, 'utf8');
    const lines = good.split('\n').length;
    await appendFile(file, '[arc]\nseal = "yes"\n[limits]\nrecipients = 7\n');
    const problems = await problemsOf(server.reload(() => undefined));
    expect(problems).toMatchObject([
      { file, key: 'arc.seal', remedy: expect.stringMatching(/true or false/) },
    ]);
    expect(problems[0]?.line).toBeGreaterThan(lines - 20);
    expect(await ehlo(server)).toContainEqual(expect.stringMatching(/LIMITS RCPTMAX=1000$/));
    await writeFile(file, `${good}\n[half`);
    await expect(server.withAdmin((admin) => admin.reload())).rejects.toMatchObject({
      code: 'config',
      message: expect.stringContaining(`${file}:`),
    });
    const { replies } = await server.receive({ from: 'a@b.example', to: ann });
    expect(replies.get(ann)?.code).toBe(250);
  });

  test('refuses by name what needs a restart', async () => {
    const server = await start();
    const { dataDir } = server.config;
    expect(
      await problemsOf(
        server.reload((toml) => {
          toml.dataDir = `${dataDir}-elsewhere`;
        }),
      ),
    ).toMatchObject([{ key: 'dataDir', remedy: expect.stringMatching(/needs a restart/) }]);
  });

  test('refuses a port that is taken, and keeps all as it was before', async () => {
    const server = await start();
    await using net = await startWorld({ servers: { 'example.net': {} } });
    const taken = net.servers['example.net'].endpoint('smtp', '127.0.0.1').port;
    const problems = await problemsOf(
      server.reload((toml) => {
        const listeners = Array.isArray(toml.listener) ? toml.listener : [];
        toml.listener = [...listeners, { protocol: 'smtp', address: '127.0.0.1', port: taken }];
        toml.limits = { recipients: 7, sessionsPerAddress: 1 };
        toml.domain = [...(Array.isArray(toml.domain) ? toml.domain : []), { name: 'second.example' }];
      }),
    );
    expect(problems).toMatchObject([
      {
        key: expect.stringMatching(/^listener\[\d+\]$/),
        what: `port ${taken} of 127.0.0.1 is taken by another program`,
      },
    ]);
    // Nor is anything else of it in force: for new sessions, for operators, for deliveries.
    expect(await ehlo(server)).toContainEqual(expect.stringMatching(/LIMITS RCPTMAX=1000$/));
    await using one = await LineConnection.open(server.endpoint('smtp', '127.0.0.1'));
    await using other = await LineConnection.open(server.endpoint('smtp', '127.0.0.1'));
    expect([await one.line(), await other.line()]).toEqual(Array(2).fill(expect.stringMatching(/^220 /)));
    const account = { address: 'bob@second.example', password: 'a secret of his' };
    await expect(server.withAdmin((admin) => admin.addAccount(account))).rejects.toThrow(/second\.example/);
    const { queueId = '' } = await server.submit({ from: ann, to: ann });
    await server.settled(queueId);
    expect(await server.files(ann)).toHaveLength(1);
  });

  test('opens ports that are new, closes those that are gone, and the sessions there go on', async () => {
    const server = await start();
    const endpoint = server.endpoint('smtp', '127.0.0.1');
    await using old = await LineConnection.open(endpoint);
    await greet(old);
    const socket = join(server.config.dataDir, 'lmtp');
    await server.reload((toml) => {
      const listeners = Array.isArray(toml.listener) ? toml.listener : [];
      const kept = listeners.filter((each) => JSON.stringify(each).includes('"smtp"') === false);
      toml.listener = [...kept, { protocol: 'lmtp', socket }];
    });
    await expect(LineConnection.open(endpoint)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    old.write('NOOP\r\n');
    expect(await old.line()).toMatch(/^250 /);
    const letter = await server.submit({ from: ann, to: ann });
    expect(letter.replies.get(ann)?.code).toBe(250);
  });

  test('shows a certificate that was renewed', async () => {
    const server = await start();
    const { tls } = server.config;
    if (!tls?.cert || !tls.key || !world) throw new Error('a world has TLS');
    const renewed = world.authority.issue([server.config.hostname, '127.0.0.1', 'renewed.example']);
    await writeFile(tls.cert, renewed.cert);
    expect(await problemsOf(server.reload(() => undefined))).toMatchObject([{ key: 'tls.key' }]);
    await writeFile(tls.key, renewed.key);
    expect(await server.reload(() => undefined)).toMatchObject({ changed: [] });
    await using client = await LineConnection.open(server.endpoint('pop3s', '127.0.0.1'));
    await client.startTls({ host: 'renewed.example', authority: world.authority.cert }); // rejects where it is not shown
  });

  test('fifty times in a row leaves nothing behind', { timeout: 60_000 }, async () => {
    const server = await start();
    await server.submit({ from: ann, to: ann });
    const heapAfter = async (times: number) => {
      for (let count = 0; count < times; count++)
        await server.reload((toml) => {
          toml.limits = { recipients: 100 + count };
        });
      collectGarbage();
      return process.memoryUsage().heapUsed;
    };
    const before = await heapAfter(10);
    const after = await heapAfter(50);
    expect((after - before) / 50).toBeLessThan(20_000); // octets for each; a whole configuration is more
  });
});

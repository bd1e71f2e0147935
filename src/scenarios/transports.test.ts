import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { deliverDirect } from '../delivery/direct.ts';
import { formatTimeline } from '../dossier/timeline.ts';
import { freePort } from '../testing/free-ports.ts';
import { startReceiver } from '../testing/receiver.ts';
import { retryQueue } from '../testing/retry-queue.ts';
import { scriptedPeer } from '../testing/scripted-peer.ts';
import { startWorld, type World } from '../testing/world.ts';

/** The relay is example.net; who is served there is boss@example.net. Mail comes to us from a trusted network. */
const boss = 'boss@example.net';
const alice = 'alice@example.com';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'posthorn-transports-'));
  await writeFile(join(directory, 'password'), 'correct horse\n');
  await writeFile(join(directory, 'wrong'), 'battery staple\n');
});
afterAll(() => rm(directory, { recursive: true }));

const parts: AsyncDisposable[] = [];
afterEach(async () => {
  for (const part of parts.splice(0).toReversed()) await part[Symbol.asyncDispose]();
});

type Table = Record<string, string | number | boolean | string[]>;

const freePorts = async () => ({
  submission: await freePort(['127.0.0.1', '::1']),
  submissions: await freePort(['127.0.0.1', '::1']),
});

/** Us, with these transports, and example.net. */
async function world(transport: Table[]): Promise<World<'example.com' | 'example.net'>> {
  const started = await startWorld({
    servers: {
      'example.com': {
        accounts: { [alice]: 'secret' },
        settings: { relay: { trustedNetworks: ['127.0.0.0/8'] }, transport },
      },
      'example.net': { accounts: { [boss]: 'correct horse' } },
    },
  });
  parts.push(started);
  return started;
}

/** One world for all of them: passwords take their time. The relay has a domain for each way to log in there. */
describe('transports with a login', () => {
  const domains = { submission: 'example.net', smtps: 'smtps.example', wrong: 'wrong.example' };
  let relaying: World<'example.com' | 'example.net'>;
  beforeAll(async () => {
    const ports = await freePorts();
    const login = { host: 'mx.example.net', user: boss, passwordFile: join(directory, 'password') };
    const submission = { ...login, protocol: 'submission', port: ports.submission };
    relaying = await startWorld({
      servers: {
        'example.com': {
          settings: {
            relay: { trustedNetworks: ['127.0.0.0/8'] },
            transport: [
              { ...submission, domains: [domains.submission] },
              { ...login, domains: [domains.smtps], protocol: 'smtps', port: ports.submissions },
              { ...submission, domains: [domains.wrong], passwordFile: join(directory, 'wrong') },
              { ...submission, domains: ['stranger.example'], host: 'localhost' },
            ],
          },
        },
        'example.net': {
          accounts: { [boss]: 'correct horse' },
          domains: [domains.smtps, domains.wrong],
          ports,
        },
      },
    });
    const net = relaying.servers['example.net'];
    await net.withAdmin(async (admin) => {
      for (const domain of [domains.smtps, domains.wrong])
        await admin.setAlias({ address: `boss@${domain}`, targets: [boss] });
    });
  }, 30_000);
  afterAll(() => relaying[Symbol.asyncDispose]());

  test.each(['submission', 'smtps'] as const)(
    'log in at a relay by %s, over verified TLS, and the dossier says so without the password',
    async (protocol) => {
      const { 'example.com': com, 'example.net': net } = relaying.servers;
      const domain = domains[protocol];
      const { queueId = '' } = await com.receive({
        from: boss,
        to: `boss@${domain}`,
        subject: `By ${protocol}`,
      });
      expect(await com.settled(queueId)).toMatchObject([{ state: 'delivered' }]);
      const accepted = (await net.trace(boss)).flatMap((event) =>
        event.event === 'accepted' && event.data.to[0] === `boss@${domain}` ? [event.data] : [],
      );
      expect(accepted).toMatchObject([{ via: 'submission', account: boss }]);
      const routed = await com.event(queueId, 'routed');
      const { port } = net.endpoint(protocol === 'smtps' ? 'submissions' : 'submission');
      const name = `relay ${protocol} mx.example.net:${port} as ${boss}`;
      expect(routed.data.transport).toEqual({ name, domains: domain });
      const attempted = await com.event(queueId, 'attempted');
      expect(attempted.data.tls?.certificate).toBe('verified');
      const story = formatTimeline(await com.trace(queueId));
      expect(story).toContain(`transport: ${name}`);
      expect(story).toContain('TLS policy: a verified certificate (the transport asks for it); ');
      expect(story).toContain('C: AUTH SCRAM-SHA-256-PLUS ***');
      for (const text of [story, readFileSync(com.logFile, 'utf8')])
        for (const secret of ['correct horse', Buffer.from(`\0${boss}\0correct horse`).toString('base64')])
          expect(text).not.toContain(secret);
    },
  );

  test('P7: a refused login defers, is told to the operator by the log, and bounces nothing', async () => {
    const { 'example.com': com, 'example.net': net } = relaying.servers;
    const { queueId = '' } = await com.receive({ from: boss, to: `boss@${domains.wrong}` });
    const [outcome] = await com.settled(queueId);
    expect(outcome).toMatchObject({
      state: 'deferred',
      decidedBy: {
        data: {
          status: '4.7.8',
          phase: 'authenticating',
          reason: expect.stringMatching(/^535 5\.7\.8/),
          rule: expect.stringMatching(/operator/),
        },
      },
    });
    // The relay has two addresses: it is asked once, not once at each.
    const attempts = (await com.trace(queueId)).filter(({ event }) => event === 'attempted');
    expect(attempts).toHaveLength(1);
    expect(readFileSync(com.logFile, 'utf8')).toMatch(/"level":50.*we cannot log in to a relay/);
    // A password that is put right needs no restart.
    const before = (await net.files(boss)).length;
    await writeFile(join(directory, 'wrong'), 'correct horse\n');
    await com.withAdmin((admin) => retryQueue(admin, { queueId }));
    expect((await net.inbox(boss, before + 1)).length).toBe(before + 1);
  });

  test('no password goes to a host whose certificate is for another name', async () => {
    const com = relaying.servers['example.com'];
    const { queueId = '' } = await com.receive({ from: boss, to: 'x@stranger.example' });
    expect(await com.settled(queueId)).toMatchObject([
      {
        state: 'deferred',
        decidedBy: { data: { status: '4.7.5', reason: expect.stringMatching(/certificate/) } },
      },
    ]);
    expect(formatTimeline(await com.trace(queueId))).not.toContain('AUTH PLAIN');
  });
});

/** A server of somebody else, on a port of its own. */
async function receiver() {
  const port = await freePort(['127.0.0.1']);
  const started = await startReceiver({ address: '127.0.0.1', port });
  parts.push(started);
  return { port, started };
}

describe('the choice of a transport', () => {
  test('is made by domain, then by sender, and there is one for the rest', async () => {
    const [rest, org, ofAlice] = [await receiver(), await receiver(), await receiver()];
    const smtp = { protocol: 'smtp', host: '127.0.0.1' };
    const { servers } = await world([
      { ...smtp, domains: ['*'], port: rest.port },
      { ...smtp, domains: ['.example.org'], port: org.port },
      { ...smtp, domains: ['*'], senders: [alice], port: ofAlice.port },
      { protocol: 'mx', domains: ['example.net'] },
    ]);
    const com = servers['example.com'];
    const send = async (from: string, to: string[]) => {
      const { queueId = '' } = await com.receive({ from, to });
      await com.settled(queueId);
    };
    await send('x@strange.example', ['a@a.example', 'b@b.example', 'o@mail.example.org', boss]);
    await send(alice, ['c@c.example', 'p@mail.example.org']);
    const taken = ({ started }: typeof rest) => started.taken.map(({ recipients }) => recipients.sort());
    // Two domains behind one host share a transaction.
    expect(taken(rest)).toEqual([['a@a.example', 'b@b.example']]);
    expect(taken(org)).toEqual([['o@mail.example.org'], ['p@mail.example.org']]);
    expect(taken(ofAlice)).toEqual([['c@c.example']]);
    expect(await servers['example.net'].inbox(boss)).toHaveLength(1);
  });

  test('holds for send --direct too', async () => {
    const { port, started } = await receiver();
    const { servers } = await world([{ domains: ['*'], protocol: 'smtp', host: '127.0.0.1', port }]);
    const { events } = await deliverDirect(servers['example.com'].config, {
      from: alice,
      recipients: ['a@a.example'],
      content: Buffer.from('Subject: direct\r\n\r\nhi\r\n'),
    });
    expect(started.taken).toMatchObject([{ recipients: ['a@a.example'] }]);
    expect(events.find(({ event }) => event === 'routed')?.data).toMatchObject({
      transport: { name: `relay smtp 127.0.0.1:${port}` },
    });
  });
});

describe('LMTP', () => {
  test('not-8: each recipient has the outcome that its own reply says', async () => {
    const peer = await scriptedPeer([
      `S: 220 store LMTP
       C: LHLO mx.example.com
       S: 250-store
       S: 250 PIPELINING
       C: MAIL …
       C: RCPT TO:<a@store.example>
       C: RCPT TO:<b@store.example>
       C: RCPT TO:<c@store.example>
       C: DATA
       S: 250 2.1.0 ok
       S: 250 2.1.5 ok
       S: 250 2.1.5 ok
       S: 250 2.1.5 ok
       S: 354 go
       C: (message)
       S: 250 2.0.0 <a@store.example> saved
       S: 452 4.2.2 <b@store.example> is full
       S: 550 5.7.1 <c@store.example> does not like you`,
    ]);
    parts.push(peer);
    const { servers } = await world([
      { domains: ['store.example'], protocol: 'lmtp', host: '127.0.0.1', port: peer.endpoint.port },
    ]);
    const com = servers['example.com'];
    const to = ['a@store.example', 'b@store.example', 'c@store.example'];
    const { queueId = '' } = await com.submit({ from: alice, to });
    const outcomes = await com.settled(queueId);
    expect(outcomes.map(({ recipient, state }) => [recipient, state])).toEqual([
      ['a@store.example', 'delivered'],
      ['b@store.example', 'deferred'],
      ['c@store.example', 'failed'],
    ]);
    expect(formatTimeline(await com.trace(queueId))).toContain('S: 452 4.2.2 <b@store.example> is full');
    const [report] = await com.inbox(alice);
    expect(report).toContain('c@store.example');
    expect(report).not.toContain('Final-Recipient: rfc822; a@store.example');
  });
});

describe('a pipe', () => {
  const pipe = (script: string, more: Table = {}): Table => ({
    domains: ['programs.example'],
    protocol: 'pipe',
    command: ['/bin/sh', '-c', script, 'sh', `\${user}`, `\${sender}`],
    ...more,
  });

  test('hands each recipient to a program, and its exit code decides', async () => {
    const script = `cat > "${directory}/$1"; case $1 in gone) echo no such user; exit 67;; later) exit 75;; esac`;
    const { servers } = await world([pipe(script)]);
    const com = servers['example.com'];
    const to = ['bob@programs.example', 'gone@programs.example', 'later@programs.example'];
    const { queueId = '' } = await com.submit({ from: alice, to, subject: 'To a program' });
    const outcomes = await com.settled(queueId);
    expect(outcomes.map(({ state }) => state)).toEqual(['delivered', 'failed', 'deferred']);
    expect(readFileSync(join(directory, 'bob'), 'utf8')).toMatch(
      /^Return-Path: <alice@example\.com>\nDelivered-To: bob@programs\.example\n[\s\S]*\nSubject: To a program\n/,
    );
    const [report] = await com.inbox(alice);
    expect(report).toMatch(/no such user/);
    const story = formatTimeline(await com.trace(queueId));
    expect(story).toContain('Mail for programs.example goes to a program');
    expect(story).toContain('transport: pipe /bin/sh');
    expect(story).toMatch(/Ran \/bin\/sh for \d+ ms: exit code 67: there is no such user/);
    expect(story).toContain('Delivered to /bin/sh');
  });

  test('is another one where its words are others, also for one message', async () => {
    const to = (place: string) => `cat > "${directory}/${place}-$1"`;
    const { servers } = await world([pipe(to('here')), pipe(to('there'), { domains: ['others.example'] })]);
    const com = servers['example.com'];
    const both = ['x@programs.example', 'y@others.example'];
    const { queueId = '' } = await com.submit({ from: alice, to: both });
    expect((await com.settled(queueId)).map(({ state }) => state)).toEqual(['delivered', 'delivered']);
    for (const file of ['here-x', 'there-y'])
      expect(readFileSync(join(directory, file), 'utf8')).toContain('Return-Path: <alice@example.com>');
  });

  test('that takes too long is ended, and leaves its message in doubt', async () => {
    const { servers } = await world([pipe('sleep 600', { timeoutSeconds: 1 })]);
    const com = servers['example.com'];
    const { queueId = '' } = await com.submit({ from: alice, to: 'bob@programs.example' });
    expect(await com.settled(queueId)).toMatchObject([{ state: 'deferred' }]);
    const { data } = await com.event(queueId, 'ran');
    expect(data.end).toBe('not done within 1 s, and ended by us');
  });
});

import { mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Application } from '../net/machine.ts';
import type { Pop3Answer, Pop3Event } from '../pop3/event.ts';
import { Pop3Session } from '../pop3/session.ts';
import { deliver } from '../store/maildir.ts';
import { impatientClock } from '../testing/fake-clock.ts';
import { recordingLog } from '../testing/recording-log.ts';
import { playEveryWay, type Serve } from '../testing/transcript.ts';
import { readTranscripts } from '../testing/transcript-format.ts';
import { createLog } from '../util/log.ts';
import { logins } from './login.ts';
import { type Pop3Parts, pop3Application } from './pop3.ts';

const peer = { address: '192.0.2.1', port: 1110, localAddress: '192.0.2.2', localPort: 110 };

let root: string;
let mailboxes = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'pop3-'));
});
afterAll(() => rm(root, { recursive: true }));

/** A Maildir as another program would have filled it; returns the parts of a server whose accounts have it as `bob`. */
async function server(files: Record<string, string> = {}): Promise<{ maildir: string; parts: Pop3Parts }> {
  const directory = join(root, `${mailboxes++}`);
  const maildir = join(directory, 'bob@example.com');
  for (const part of ['tmp', 'new', 'cur']) await mkdir(join(maildir, part), { recursive: true });
  for (const [name, content] of Object.entries(files)) await writeFile(join(maildir, name), content);
  const log = createLog('silent');
  const authenticate = async (user: string, password: string) =>
    password === 'secret' && !user.startsWith('nobody') ? { account: user.toLowerCase() } : undefined;
  const parts: Pop3Parts = {
    login: logins({ authenticate, clock: impatientClock().clock, log })(peer.address),
    maildirOf: (account) => join(directory, account),
    openMailboxes: new Set(),
    log,
  };
  return { maildir, parts };
}

const twoMessages = {
  'new/1700000001.one.example': 'Subject: one\n\nfirst\n.second\n',
  'cur/1700000002.two.example:2,': 'Subject: two\n\nHello\nBye\n',
};

const filesIn = async (maildir: string): Promise<string[]> =>
  (
    await Promise.all(
      ['new', 'cur'].map(async (part) =>
        (await readdir(join(maildir, part))).map((name) => `${part}/${name}`),
      ),
    )
  )
    .flat()
    .sort();

type Pop3Application = Application<Pop3Event, Pop3Answer>;

async function login(application: Pop3Application, user = 'bob@example.com'): Promise<Pop3Answer> {
  return application.handle({
    type: 'login',
    claim: { authorizationId: '', user, password: 'secret' },
  });
}

/** RETR as the session plays it; the pieces, or the refusal. */
async function retrieve(application: Pop3Application, number: number): Promise<Buffer[] | Pop3Answer> {
  const answer = await application.handle({ type: 'retrieve', number });
  if (answer.kind !== 'ok') return answer;
  const pieces: Buffer[] = [];
  for (;;) {
    const more = await application.handle({ type: 'more' });
    if (more.kind === 'end') return pieces;
    if (more.kind !== 'chunk') return more;
    pieces.push(more.bytes);
  }
}

describe('transcripts', () => {
  for (const transcript of readTranscripts(new URL('transcripts/pop3', import.meta.url))) {
    test(transcript.title, () =>
      playEveryWay(transcript, async (): Promise<Serve<Pop3Event, Pop3Answer>> => {
        const { parts } = await server(twoMessages);
        const options = {
          hostname: 'pop.example.com',
          startTls: false,
          allowPlaintextAuth: true,
          mechanisms: ['PLAIN'],
        };
        return () => ({ machine: new Pop3Session(options), application: pop3Application(parts, peer) });
      }),
    );
  }
});

describe('pop3Application()', () => {
  test('P2: POP3 gives CRLF back, byte for byte what was delivered', async () => {
    const { maildir, parts } = await server();
    const octets = Buffer.from('Subject: =?x?\r\n\r\n.\r\n..a\r\n\xff\x00\x80 \r\n\r\n', 'latin1');
    await deliver({
      maildir,
      folder: 'Inbox',
      queueId: '01ABCDEFGHJKMN',
      number: 0,
      acceptedAt: 1_700_000_000_000,
      hostname: 'mx.example.com',
      inDoubt: false,
      octets: [octets],
    });
    const application = pop3Application(parts, peer);
    expect(await login(application)).toMatchObject({ messages: [{ sizeBytes: octets.length }] });
    expect(Buffer.concat((await retrieve(application, 1)) as Buffer[])).toEqual(octets);
  });

  test('P3: a large message goes out in bounded pieces', async () => {
    const { parts } = await server({
      'new/1.large': `Subject: large\n\n${'x'.repeat(71)}\n`.repeat(100_000),
    });
    const application = pop3Application(parts, peer);
    await login(application);
    const pieces = (await retrieve(application, 1)) as Buffer[];
    expect(Buffer.concat(pieces).length).toBe(100_000 * (14 + 71 + 3 + 3));
    expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThanOrEqual(2 * 64 * 1024);
  });

  test('QUIT removes what was marked, and marks what went out whole and stays as seen', async () => {
    const { maildir, parts } = await server({
      'new/1.deleted': '\na\n',
      'new/2.retrieved': '\nb\n',
      'new/3.looked-at': '\nc\n',
      'cur/4.flagged:2,FT': '\nd\n',
      'cur/5.seen:2,S': '\ne\n',
    });
    const application = pop3Application(parts, peer);
    await login(application);
    for (const number of [1, 2, 4, 5]) await retrieve(application, number);
    await application.handle({ type: 'retrieve', number: 3, bodyLines: 0 });
    expect(await application.handle({ type: 'more' })).toMatchObject({ kind: 'chunk' });
    expect(await application.handle({ type: 'more' })).toEqual({ kind: 'end' });
    expect(await application.handle({ type: 'commit', deleted: [1] })).toEqual({ kind: 'ok' });
    expect(await filesIn(maildir)).toEqual([
      'cur/2.retrieved:2,S',
      'cur/4.flagged:2,FST',
      'cur/5.seen:2,S',
      'new/3.looked-at',
    ]);
  });

  test('a connection that breaks has changed nothing', async () => {
    const { maildir, parts } = await server(twoMessages);
    const application = pop3Application(parts, peer);
    await login(application);
    await retrieve(application, 1);
    await application.handle({ type: 'retrieve', number: 2 });
    application.closed();
    expect(await filesIn(maildir)).toEqual(Object.keys(twoMessages).sort());
    expect(parts.openMailboxes.size).toBe(0);
  });

  test('a client that says QUIT and goes has its messages removed, and the mailbox is held until then', async () => {
    const { maildir, parts } = await server(twoMessages);
    const application = pop3Application(parts, peer);
    await login(application);
    const committed = application.handle({ type: 'commit', deleted: [1, 2] });
    application.closed();
    expect(parts.openMailboxes.size).toBe(1);
    await committed;
    expect(await filesIn(maildir)).toEqual([]);
    expect(parts.openMailboxes.size).toBe(0);
  });

  test('finds messages again that another program has moved or flagged, and leaves their flags to it', async () => {
    const { maildir, parts } = await server({ 'new/1.one': '\na\n', 'new/2.two': '\nb\n' });
    const application = pop3Application(parts, peer);
    await login(application);
    await rename(join(maildir, 'new/1.one'), join(maildir, 'cur/1.one:2,'));
    await rename(join(maildir, 'new/2.two'), join(maildir, 'cur/2.two:2,F'));
    expect(String(await retrieve(application, 1))).toBe('\r\na\r\n');
    await application.handle({ type: 'commit', deleted: [2] });
    expect(await filesIn(maildir)).toEqual(['cur/1.one:2,']);
  });

  test('says clearly that a message is gone, and goes on', async () => {
    const { maildir, parts } = await server(twoMessages);
    const application = pop3Application(parts, peer);
    await login(application);
    await rm(join(maildir, 'new/1700000001.one.example'));
    const gone = { kind: 'refused', text: 'Message 1 is gone; another program removed it' };
    expect(await retrieve(application, 1)).toEqual(gone);
    expect(await application.handle({ type: 'retrieve', number: 1, bodyLines: 3 })).toEqual(gone);
    expect(await retrieve(application, 2)).toHaveLength(1);
    expect(await application.handle({ type: 'commit', deleted: [1] })).toEqual({ kind: 'ok' });
  });

  test('a client that has too many logins under way is told to come again', async () => {
    const { parts } = await server();
    const busy = { ...parts, login: async () => ({ kind: 'busy' }) as const };
    expect(await login(pop3Application(busy, peer))).toMatchObject({ kind: 'refused', code: 'SYS/TEMP' });
  });

  test('a problem of ours is [SYS/TEMP], and leaves the mailbox free', async () => {
    const { maildir, parts } = await server();
    await rm(maildir, { recursive: true });
    await writeFile(maildir, 'no directory');
    expect(await login(pop3Application(parts, peer))).toMatchObject({ kind: 'refused', code: 'SYS/TEMP' });
    expect(parts.openMailboxes.size).toBe(0);
    const broken = { ...parts, login: () => Promise.reject(new Error('no store')) };
    expect(await login(pop3Application(broken, peer))).toMatchObject({ kind: 'refused', code: 'SYS/TEMP' });
  });

  test('a client that goes while its password is checked leaves no lock behind', async () => {
    const { parts } = await server();
    const application = pop3Application(parts, peer);
    const answered = login(application);
    application.closed();
    await answered;
    expect(parts.openMailboxes.size).toBe(0);
  });
});

test('a file that may not be read hides no other message, and the log names it', async () => {
  const { maildir, parts } = await server(twoMessages);
  const closed = join(maildir, 'new', '1700000003.three.example');
  await symlink(closed, closed);
  const { log, lines } = recordingLog();
  const application = pop3Application({ ...parts, log }, peer);
  const answer = await login(application);
  expect(answer.kind === 'maildrop' && answer.messages).toHaveLength(2);
  expect(lines('warn')).toMatchObject([{ account: 'bob@example.com', messages: 1, file: closed }]);
});

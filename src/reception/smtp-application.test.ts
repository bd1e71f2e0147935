import { describe, expect, test } from 'vitest';
import { StoreBrokenError, StoreFullError } from '../store/errors.ts';
import type { ReceptionSetup } from '../testing/behind-doors.ts';
import { TestReception } from '../testing/reception.ts';
import { byteByByte, playEveryWay, playTranscript } from '../testing/transcript.ts';
import { readTranscripts } from '../testing/transcript-format.ts';

const people = {
  accounts: ['bob@example.com', 'eve@example.com', 'first@example.org'],
  aliases: { 'team@example.com': ['bob@example.com', 'eve@example.com'] },
};
const inbound: ReceptionSetup = { via: 'smtp', ...people };
const submission: ReceptionSetup = { via: 'submission', ...people };
const lmtp: ReceptionSetup = { via: 'lmtp', ...people };

describe('the doors', () => {
  for (const [folder, setup] of Object.entries({ inbound, submission, lmtp }))
    for (const transcript of readTranscripts(new URL(`transcripts/${folder}`, import.meta.url)))
      test(transcript.title, () => playEveryWay(transcript, () => new TestReception(setup).serve));
});

const letter = { from: 'a@client.example', to: 'bob@example.com', content: 'Subject: x\r\n\r\nHello.\r\n' };

describe('SmtpApplication', () => {
  test('not-2: gives each message its own recipients', async () => {
    const reception = new TestReception(inbound);
    const transcripts = readTranscripts(new URL('transcripts/inbound', import.meta.url));
    const twoLetters = transcripts.find(({ title }) => title.startsWith('not-2'));
    if (!twoLetters) throw new Error('no transcript of two letters');
    await playTranscript(twoLetters, reception.serve, byteByByte);
    expect(reception.accepted.map(({ jobs }) => jobs.map(({ recipient }) => recipient))).toEqual([
      ['bob@example.com'],
      ['eve@example.com'],
    ]);
  });

  test('duty-1: takes mail to the bare postmaster, for a person', async () => {
    const reception = new TestReception(inbound);
    expect(await reception.send({ ...letter, to: 'postmaster' })).toMatch(/^250/);
    expect(reception.accepted[0]?.jobs).toMatchObject([
      { recipient: 'bob@example.com', originalRecipient: 'postmaster@example.com' },
    ]);
  });

  test('lets aliases swell a transaction so far only, and keeps what was taken until then', async () => {
    const crowd = Array.from({ length: 1000 }, (_, number) => `ann${number}@example.net`);
    const reception = new TestReception({
      ...inbound,
      trusted: true, // as junk, it would go to one person
      aliases: { 'all@example.com': crowd },
      recipients: 20,
    });
    const to = Array.from({ length: 11 }, () => 'RCPT TO:<all@example.com>');
    const replies = await reception.say('HELO c', 'MAIL FROM:<a@b.example>', ...to, 'DATA', '.');
    expect(replies.slice(3)).toEqual([
      ...Array.from({ length: 10 }, () => expect.stringMatching(/^250 2\.1\.5 /)),
      expect.stringMatching(/^452 4\.5\.3 /),
      expect.stringMatching(/^354 /),
      expect.stringMatching(/^250 2\.0\.0 /),
    ]);
    expect(reception.accepted[0]?.jobs).toHaveLength(1000);
  });

  test('takes nothing of a message that was abandoned', async () => {
    const reception = new TestReception(inbound);
    await reception.say(
      'HELO c',
      'MAIL FROM:<a@b.example>',
      'RCPT TO:<bob@example.com>',
      'DATA',
      'Subject: x',
    );
    expect(reception.accepted).toEqual([]);
  });
});

describe('trouble of our own', () => {
  test.each([
    ['an internal error', new Error('a bug'), /^451 4\.3\.0 /],
    ['a broken store', new StoreBrokenError('fsync failed'), /^451 4\.3\.0 /],
    ['a full store', new StoreFullError('full'), /^452 4\.3\.1 /],
    ['a full disk', Object.assign(new Error('no space left'), { code: 'ENOSPC' }), /^452 4\.3\.1 /],
  ])('not-12: %s is a 4xx for the client, who comes again', async (_, failure, reply) => {
    const reception = new TestReception(inbound);
    reception.failure = failure;
    expect(await reception.send(letter)).toMatch(reply);
    reception.failure = undefined;
    expect(await reception.send(letter)).toMatch(/^250 2\.0\.0 /);
  });

  test("not-12: an internal error is logged with the session's transcript", async () => {
    const reception = new TestReception(inbound);
    reception.failure = new Error('a bug');
    await reception.send(letter);
    const [entry] = reception.logged.filter(({ level }) => level >= 50);
    expect(entry).toMatchObject({
      err: { message: 'a bug' },
      queueId: expect.stringMatching(/^[0-9A-Z]{14}$/),
    });
    expect(JSON.stringify(entry?.dialogue)).toContain('C: MAIL FROM:<a@client.example>');
  });

  test.each([
    ['a spool that cannot be opened', { begin: () => Promise.reject(new Error('EIO')) }, /^451/],
    [
      'a disk that is full in the middle',
      {
        begin: async () => ({
          write: () => Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' })),
          commit: () => Promise.reject(new Error('committed what was never written')),
          abort: async () => undefined,
        }),
      },
      /^452/,
    ],
  ])('not-12: %s loses nothing', async (_, spool, reply) => {
    const reception = new TestReception({ ...inbound, spool });
    const content = `Subject: x\r\n\r\n${'a line of some length\r\n'.repeat(5000)}`;
    expect(await reception.send({ ...letter, content })).toMatch(reply);
    expect(reception.accepted).toEqual([]);
  });

  test('not-12: a bug while the message streams by is not answered with 250', async () => {
    const signers = new Map(); // stands for any part that sees the message in passing
    signers.get = () => {
      throw new Error('a bug');
    };
    const reception = new TestReception({ ...submission, account: 'bob@example.com', signers });
    const content = 'From: bob@example.com\r\n\r\nHello.\r\n';
    expect(await reception.send({ from: 'bob@example.com', to: 'ann@example.net', content })).toMatch(/^451/);
    expect(reception.accepted).toEqual([]);
  });
});

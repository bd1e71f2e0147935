import { readdir } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { Directory } from '../queue/directory.ts';
import { StoreBrokenError } from '../store/errors.ts';
import { createSpool, spoolDirectory } from '../store/spool.ts';
import type { Accepted } from '../testing/behind-doors.ts';
import { fakeClock } from '../testing/fake-clock.ts';
import { temporaryDirectory } from '../testing/store.ts';
import { HandInError, handIn } from './control.ts';

const accounts = ['bob@example.com', 'eve@example.com'];

function reception() {
  const accepted: Accepted[] = [];
  const store = {
    findAccount: async (address: string) =>
      accounts.includes(address) ? { address, passwordHash: '', createdAt: 0 } : undefined,
    findAlias: async () => undefined,
    firstAccount: async () => undefined,
    listAliases: async () => [],
  };
  let count = 0;
  const parts = {
    hostname: 'mx.example.com',
    headerBytes: 10_000,
    inlineBytes: 50_000,
    queue: { accept: async (entry: Accepted) => void accepted.push(entry) },
    reportExpansion: async () => undefined,
    directory: new Directory({ store, domains: [{ name: 'example.com' }] }),
    spool: { begin: () => Promise.reject(new Error('small messages only')) },
    signers: new Map(),
    clock: fakeClock(),
    nextQueueId: () => `Q${count++}`,
  };
  return { parts, accepted };
}

const content = Buffer.from('From: bob@example.com\nBcc: x@example.net\nSubject: x\n\nHello.\n');

describe('handIn()', () => {
  test('M10: takes what it can, and says who was refused and why', async () => {
    const { parts, accepted } = reception();
    const recipients = ['ann@example.net', 'nobody@example.com', 'eve@example.com'];
    const taken = await handIn(parts, { from: 'bob@example.com', recipients, content });
    expect(taken).toEqual({
      queueId: 'Q0',
      refused: [{ recipient: 'nobody@example.com', reply: expect.stringMatching(/^550 5\.1\.1 /) }],
    });
    expect(accepted[0]?.jobs.map(({ recipient }) => recipient)).toEqual([
      'ann@example.net',
      'eve@example.com',
    ]);
  });

  test('has written down who was refused before the others have the message, and takes nothing where that fails', async () => {
    const { parts, accepted } = reception();
    const recipients = ['nobody@example.com', 'eve@example.com'];
    const letter = { from: 'bob@example.com', recipients, content };
    const seen: [string | undefined, number][] = [];
    const refusing = async (refused: { recipient: string }[]) =>
      void seen.push([refused[0]?.recipient, accepted.length]);
    await handIn({ ...parts, refusing }, letter);
    expect(seen).toEqual([['nobody@example.com', 0]]);
    const failing = () => Promise.reject(new StoreBrokenError('fsync failed'));
    await expect(handIn({ ...parts, refusing: failing }, letter)).rejects.toThrow('fsync failed');
    expect(accepted).toHaveLength(1);
    await handIn({ ...parts, refusing: failing }, { ...letter, recipients: ['eve@example.com'] });
  });

  test('M3: makes line ends CRLF, takes Bcc out and adds what is missing', async () => {
    const { parts, accepted } = reception();
    await handIn(parts, { from: 'bob@example.com', recipients: ['eve@example.com'], content });
    const { message } = accepted[0] ?? {};
    const text =
      message?.content.kind === 'inline' ? String(message.prefix) + String(message.content.bytes) : '';
    expect(text).not.toMatch(/[^\r]\n|Bcc/);
    expect(text).toMatch(/^Message-ID: /m);
    expect(text.endsWith('From: bob@example.com\r\nSubject: x\r\n\r\nHello.\r\n')).toBe(true);
  });

  test.each([
    [
      'keeps the spool file where the store broke: the message may be on disk',
      new StoreBrokenError('fsync'),
      1,
    ],
    ['leaves no spool file of a message that was not taken', new Error('no room'), 0],
  ])('not-12: %s', async (_, failure, files) => {
    await using directory = await temporaryDirectory();
    const spool = createSpool({ dataDir: directory.path });
    const parts = {
      ...reception().parts,
      spool,
      queue: { accept: () => Promise.reject(failure) },
    };
    const letter = { from: 'bob@example.com', recipients: ['eve@example.com'] };
    const large = Buffer.concat([content, Buffer.from('Hello.\n'.repeat(10_000))]);
    await expect(handIn(parts, { ...letter, content: large })).rejects.toThrow(failure.message);
    expect(await readdir(spoolDirectory(directory.path))).toHaveLength(files);
    await spool.close();
  });

  test('its dossier begins when the message is taken in', async () => {
    const { parts, accepted } = reception();
    await handIn(parts, { from: 'bob@example.com', recipients: ['eve@example.com'], content });
    expect(accepted[0]?.events[0]).toMatchObject({
      at: parts.clock.now(),
      event: 'accepted',
      data: { via: 'control' },
    });
  });

  test.each([
    ['a sender elsewhere', { from: 'ann@example.net' }, 'not a domain of this server'],
    ['an address that is none', { recipients: ['not an address'] }, 'Cannot parse address'],
    ['nobody', { recipients: [] }, 'at least one recipient'],
    ['nobody who exists', { recipients: ['nobody@example.com'] }, '550 5.1.1'],
    ['an author elsewhere', { content: Buffer.from('From: ann@example.net\n\n') }, '5.7.1'],
    ['a header without end', { content: Buffer.from(`X: ${'x'.repeat(20_000)}`) }, '552'],
  ])('refuses %s', async (_, changes, reason) => {
    const { parts, accepted } = reception();
    const letter = { from: 'bob@example.com', recipients: ['eve@example.com'], content, ...changes };
    const refusal = handIn(parts, letter);
    await expect(refusal).rejects.toThrow(HandInError);
    await expect(refusal).rejects.toThrow(reason);
    expect(accepted).toEqual([]);
  });
});

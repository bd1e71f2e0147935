import { readdir } from 'node:fs/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readContent } from '../store/content.ts';
import type { Content } from '../store/message.ts';
import { createSpool, type Spool, type SpoolWriter, spoolDirectory } from '../store/spool.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../testing/store.ts';
import { type CollectorParts, MessageCollector } from './message-collector.ts';

let directory: TemporaryDirectory;
let spool: Spool;
beforeAll(async () => {
  directory = await temporaryDirectory();
  spool = createSpool({ dataDir: directory.path });
});
afterAll(async () => {
  await spool.close();
  await directory[Symbol.asyncDispose]();
});

const spoolFiles = () => readdir(spoolDirectory(directory.path));

/** A collector that keeps the header as it is, with what it showed. */
function collecting(parts: Partial<CollectorParts> = {}) {
  const seen = { headers: [] as string[], body: '' };
  const collector = new MessageCollector({
    openSpool: () => spool.begin(),
    inlineBytes: 100,
    headerBytes: 1000,
    editHeader(header) {
      seen.headers.push(header.toString('latin1'));
      return header;
    },
    onBody(chunk) {
      seen.body += chunk.toString('latin1');
    },
    ...parts,
  });
  return { collector, seen };
}

async function collect(collector: MessageCollector, pieces: Iterable<string>): Promise<Content> {
  for (const piece of pieces) await collector.add(Buffer.from(piece, 'latin1'));
  collector.end();
  return collector.finish();
}

async function textOf(content: Content): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of readContent(content)) chunks.push(chunk);
  return Buffer.concat(chunks).toString('latin1');
}

const header = 'From: a@example.com\r\nSubject: x\r\n\tfolded\r\n\r\n';
const small = `${header}Hello.\r\n\r\nBye.\r\n`;
const large = `${header}${'a line of some length\r\n'.repeat(20)}`;

describe('MessageCollector', () => {
  test.each([
    ['small', small],
    ['large', large],
    ['without a body', header],
    ['without a header', '\r\nHello.\r\n'],
    ['without a blank line', 'Subject: x\r\n'],
    ['empty', ''],
    ['with returns that end nothing', 'A: 1\r\r\n\r\r\nB: 2\r\n\r\nbody'],
  ])('P2: keeps every octet of a message that is %s, however it is cut', async (_, message) => {
    for (let cut = 0; cut <= Math.min(message.length, 120); cut++) {
      const { collector, seen } = collecting();
      const content = await collect(collector, [message.slice(0, cut), message.slice(cut)]);
      expect(await textOf(content)).toBe(message);
      expect(seen.headers).toHaveLength(1);
      expect(seen.headers[0] + seen.body).toBe(message);
      await collector.discard();
    }
  });

  test('P2: keeps every octet, whatever octets they are', async () => {
    const octets = fc.array(fc.constantFrom('\r', '\n', '\r\n', '\r\n\r\n', 'a', ':', '.', '\0', '\xff'));
    await fc.assert(
      fc.asyncProperty(fc.array(octets.map((parts) => parts.join(''))), async (pieces) => {
        const { collector } = collecting({ inlineBytes: 20 });
        expect(await textOf(await collect(collector, pieces))).toBe(pieces.join(''));
        await collector.discard();
      }),
    );
  });

  test('P1: the first blank line ends the header, the second one nothing', async () => {
    const { collector, seen } = collecting();
    await collect(collector, small);
    expect(seen.headers).toEqual([header]);
    expect(seen.body).toBe('Hello.\r\n\r\nBye.\r\n');
  });

  test('keeps small messages in memory and large ones in the spool', async () => {
    expect(await collect(collecting().collector, [small])).toMatchObject({ kind: 'inline' });
    const { collector } = collecting();
    const content = await collect(collector, [large]);
    expect(content).toMatchObject({ kind: 'spool', sizeBytes: large.length });
    await collector.discard();
  });

  test('keeps no more than its limit in memory, however much comes', async () => {
    let written = 0;
    const writer: SpoolWriter = {
      async write(chunk) {
        written += chunk.length;
      },
      commit: async () => ({ kind: 'spool', path: '', sizeBytes: written }),
      abort: async () => undefined,
    };
    const { collector } = collecting({ openSpool: async () => writer });
    let added = header.length;
    await collector.add(Buffer.from(header));
    for (let index = 0; index < 50; index++) {
      await collector.add(Buffer.alloc(30, 'x'));
      added += 30;
      expect(added - written).toBeLessThanOrEqual(130);
    }
  });

  test('joins what comes octet by octet, so that it costs little more than its octets', async () => {
    const written: number[] = [];
    const writer: SpoolWriter = {
      write: async (chunk) => void written.push(chunk.length),
      commit: async () => ({ kind: 'spool', path: '', sizeBytes: 0 }),
      abort: async () => undefined,
    };
    const { collector } = collecting({ openSpool: async () => writer, inlineBytes: 50_000 });
    await collector.add(Buffer.from(header));
    for (let index = header.length; index <= 50_000; index++) await collector.add(Buffer.of(0x78));
    expect(written.reduce((sum, length) => sum + length)).toBe(50_001);
    expect(written.length).toBeLessThan(30);
  });

  test('not-9: keeps the header as it was edited, and knows how it came', async () => {
    const { collector } = collecting({ editHeader: () => Buffer.from('Subject: y\r\n\r\n') });
    const content = await collect(collector, [small]);
    expect(await textOf(content)).toBe('Subject: y\r\n\r\nHello.\r\n\r\nBye.\r\n');
    expect(collector.originalHeader.toString()).toBe(header);
    expect(collector.header.toString()).toBe('Subject: y\r\n\r\n');
  });

  test.each([1000, 1])('stops to keep a header that is too long, in pieces of %d', async (size) => {
    const { collector, seen } = collecting();
    for (let sent = 0; sent < 3000; sent += size) await collector.add(Buffer.alloc(size, 'x'));
    collector.end();
    expect(collector.headerTooLong).toBe(true);
    expect(seen.headers).toEqual([]);
    await collector.discard();
  });

  test('takes a header of just its limit', async () => {
    const { collector } = collecting({ headerBytes: header.length });
    await collect(collector, [small]);
    expect(collector.headerTooLong).toBe(false);
  });
});

describe('MessageCollector.discard()', () => {
  test('leaves no file behind: not after some of the message, nor after all', async () => {
    const { collector: some } = collecting();
    await some.add(Buffer.from(large));
    await some.discard();
    const { collector: all } = collecting();
    await collect(all, [large]);
    await all.discard();
    expect(await spoolFiles()).toEqual([]);
  });

  test('leaves no file behind where a file is just being opened or written', async () => {
    const { collector } = collecting();
    const adding = collector.add(Buffer.from(large));
    await collector.discard();
    await adding;
    expect(await spoolFiles()).toEqual([]);
  });

  test('does not fail where the disk did', async () => {
    const { collector } = collecting({ openSpool: () => Promise.reject(new Error('ENOSPC')) });
    await expect(collector.add(Buffer.from(large))).rejects.toThrow('ENOSPC');
    await collector.discard();
  });
});

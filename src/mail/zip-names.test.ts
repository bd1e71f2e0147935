import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { maxEntries, namesInZip } from './zip-names.ts';

/** Made with Info-ZIP: `invoice.pdf.exe`, and `readme.txt` in a folder. */
const zip = readFileSync(join(import.meta.dirname, '..', '..', 'testdata', 'attachments', 'invoice.zip'));

interface File {
  name: string;
  body?: string;
  /** In the directory. */
  listedAs?: string;
  listedBytes?: number;
  /** Its size is told behind it. */
  streamed?: true;
}

function local({ name, body = '', streamed }: File): Buffer {
  const header = Buffer.alloc(30);
  header.write('PK\x03\x04', 'latin1');
  header.writeUInt16LE(streamed ? 8 : 0, 6);
  header.writeUInt32LE(streamed ? 0 : body.length, 18);
  header.writeUInt16LE(name.length, 26);
  return Buffer.concat([header, Buffer.from(name + body, 'latin1')]);
}

function entry({ name, body = '', listedAs = name, listedBytes = body.length }: File, at: number): Buffer {
  const header = Buffer.alloc(46);
  header.write('PK\x01\x02', 'latin1');
  header.writeUInt32LE(listedBytes, 20);
  header.writeUInt16LE(listedAs.length, 28);
  header.writeUInt32LE(at, 42);
  return Buffer.concat([header, Buffer.from(listedAs, 'latin1')]);
}

function endRecord(sizeBytes: number, offset: number, comment = 0): Buffer {
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt32LE(sizeBytes, 12);
  end.writeUInt32LE(offset, 16);
  end.writeUInt16LE(comment, 20);
  return end;
}

/** The files, and their directory as if they began at `start`. */
function parts(files: readonly File[], start = 0) {
  const locals = files.map(local);
  let at = start;
  const directory = Buffer.concat(
    files.map((file, index) => {
      const listed = entry(file, at);
      at += locals[index]?.length ?? 0;
      return listed;
    }),
  );
  return { files: Buffer.concat(locals), directory, offset: at };
}

function zipOf(files: readonly File[]): Buffer {
  const made = parts(files);
  return Buffer.concat([made.files, made.directory, endRecord(made.directory.length, made.offset)]);
}

const differ = 'a zip archive in which different programs find different files';
const txt = { name: 'a.txt', body: 'text' };
const exe = { name: 'b.exe', body: 'program' };

describe('namesInZip() reads what an honest archive holds', () => {
  const names = ['invoice.pdf.exe', 'd/readme.txt'];

  test('behind something, and before a comment', () => {
    expect(namesInZip(zip)).toEqual({ names });
    expect(namesInZip(Buffer.concat([Buffer.from('MZ, it extracts itself'), zip]))).toEqual({ names });
  });

  test('an archive in it is a file like any other', () => {
    const nested = { name: 'in.zip', body: zipOf([exe]).toString('latin1') };
    expect(namesInZip(zipOf([txt, nested, { ...nested, name: '2.zip', streamed: true }]))).toEqual({
      names: ['a.txt', 'in.zip', '2.zip'],
    });
  });

  test('none', () => {
    expect(namesInZip(endRecord(0, 0))).toEqual({ names: [] });
  });

  test('in Zip64', () => {
    const made = parts([txt, exe]);
    const end64 = Buffer.alloc(56);
    end64.write('PK\x06\x06', 'latin1');
    end64.writeBigUInt64LE(BigInt(made.directory.length), 40);
    end64.writeBigUInt64LE(BigInt(made.offset), 48);
    const locator = Buffer.alloc(20);
    locator.write('PK\x06\x07', 'latin1');
    locator.writeBigUInt64LE(BigInt(made.offset + made.directory.length), 8);
    const archive = [made.files, made.directory, end64, locator, endRecord(0xffffffff, 0xffffffff)];
    expect(namesInZip(Buffer.concat(archive))).toEqual({ names: ['a.txt', 'b.exe'] });
    expect(namesInZip(Buffer.concat([Buffer.from('before it'), ...archive]))).toEqual({
      names: ['a.txt', 'b.exe'],
    });
    // Programs that know no Zip64 find another directory.
    const other = parts([txt, exe]).directory.subarray(0, 46 + txt.name.length);
    const two = [made.files, made.directory, end64, other, locator, endRecord(other.length + 20, 0)];
    expect(namesInZip(Buffer.concat(two))).toEqual({ names: ['a.txt', 'b.exe'], cut: differ });
  });
});

describe('namesInZip() finds what some program would show', () => {
  test('of two directories, whichever the end record leads to', () => {
    const shown = parts([txt]);
    const hidden = parts([exe], shown.files.length);
    const files = Buffer.concat([shown.files, hidden.files]);
    const [real, fake] = [hidden.directory, shown.directory];
    // By its offset the real one, by where it stands the other; and the other way round.
    for (const [one, two] of [
      [real, fake],
      [fake, real],
    ] as const) {
      const archive = Buffer.concat([files, one, two, endRecord(two.length, files.length)]);
      const { names, cut } = namesInZip(archive);
      expect([new Set(names), cut]).toEqual([new Set(['a.txt', 'b.exe']), differ]);
    }
  });

  test('of two end records, one in the comment of the other', () => {
    const real = parts([exe, txt]);
    const fake = parts([{ name: 'c.txt' }]).directory;
    const second = Buffer.concat([fake, endRecord(fake.length, 0)]);
    const first = endRecord(real.directory.length, real.offset, second.length);
    const archive = Buffer.concat([real.files, real.directory, first, second]);
    const { names, cut } = namesInZip(archive);
    expect([new Set(names), cut]).toEqual([new Set(['a.txt', 'b.exe', 'c.txt']), differ]);
    const empty = Buffer.concat([zip, endRecord(0, 0)]);
    expect(namesInZip(empty)).toEqual({ names: ['invoice.pdf.exe', 'd/readme.txt'], cut: differ });
  });

  test('a file that no directory lists', () => {
    const made = parts([txt]);
    const end = endRecord(made.directory.length, made.offset + local(exe).length);
    const archive = Buffer.concat([made.files, local(exe), made.directory, end]);
    expect(namesInZip(archive)).toEqual({ names: ['a.txt', 'b.exe'], cut: differ });
  });

  test('one behind a file that is listed as longer than it says', () => {
    const long = { ...txt, listedBytes: txt.body.length + local(exe).length };
    const made = parts([long]);
    const end = endRecord(made.directory.length, made.offset + local(exe).length);
    const archive = Buffer.concat([made.files, local(exe), made.directory, end]);
    expect(namesInZip(archive)).toEqual({ names: ['a.txt', 'b.exe'], cut: differ });
  });

  test('a file that bears another name than is listed', () => {
    expect(namesInZip(zipOf([{ ...exe, listedAs: 'b.txt' }]))).toEqual({
      names: ['b.txt', 'b.exe'],
      cut: differ,
    });
  });

  test('two archives one behind the other', () => {
    const { names, cut } = namesInZip(Buffer.concat([zipOf([exe]), Buffer.alloc(70_000), zipOf([txt])]));
    expect([new Set(names), cut]).toEqual([new Set(['a.txt', 'b.exe']), differ]);
  });

  test('the files of an archive that has lost its directory', () => {
    expect(namesInZip(parts([txt, exe]).files)).toEqual({
      names: ['a.txt', 'b.exe'],
      cut: 'a zip archive without a directory that can be read',
    });
  });
});

describe('namesInZip() is bounded', () => {
  const unreadable = { names: [], cut: 'a zip archive without a directory that can be read' };

  test('gives up on what is no archive', () => {
    expect(namesInZip(Buffer.from('PK'))).toEqual(unreadable);
    expect(namesInZip(Buffer.alloc(200_000, 0x50))).toEqual(unreadable);
    for (let length = 0; length < zip.length; length++) namesInZip(zip.subarray(0, length));
    for (let at = 0; at < zip.length; at++) {
      const damaged = Buffer.from(zip);
      damaged[at] = (damaged[at] ?? 0) ^ 0xff;
      expect(namesInZip(damaged).names.length).toBeLessThanOrEqual(4);
    }
  });

  test('more files than are read', () => {
    const files = Array.from({ length: maxEntries + 1 }, (_, index) => ({ name: `${index}.txt` }));
    const { names, cut } = namesInZip(zipOf(files));
    expect([names.length, cut]).toEqual([maxEntries, 'a zip archive of more than 1000 files']);
  });

  test('names that lie over each other, longer together than the archive', () => {
    const headers = Array.from({ length: 100 }, (_, number) => {
      const header = local({ name: 'x'.repeat(300) }).subarray(0, 30);
      header.write(String(number), 14);
      return header;
    });
    const archive = Buffer.concat([...headers, Buffer.alloc(300, 'x')]);
    const { names, cut } = namesInZip(archive);
    expect(names.join('').length).toBeLessThanOrEqual(archive.length);
    expect(cut).toBe('a zip archive without a directory that can be read');
  });

  test.each([
    ['end records', endRecord(46, 46)],
    ['end records of directories', Buffer.concat([entry(txt, 0), endRecord(46 + txt.name.length, 0)])],
    ['files', local(txt)],
    ['signatures', Buffer.from('PK\x03\x04')],
    ['entries', entry(txt, 0)],
  ])('8 MiB of %s', (_, piece) => {
    const archive = Buffer.concat([Buffer.alloc(8 * 2 ** 20, piece), endRecord(8 * 2 ** 20, 0)]);
    const before = process.threadCpuUsage();
    expect(namesInZip(archive)).toMatchObject({ cut: expect.stringContaining('zip archive') });
    const { user, system } = process.threadCpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(500);
  });
});

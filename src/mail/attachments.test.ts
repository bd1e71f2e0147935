import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { attachmentsOf } from './attachments.ts';
import { maxEntries } from './zip-names.ts';

/** Made with Info-ZIP: `invoice.pdf.exe`, and `readme.txt` in a folder. */
const zip = readFileSync(join(import.meta.dirname, '..', '..', 'testdata', 'attachments', 'invoice.zip'));

/** An archive of empty files: its directory alone. */
function zipOf(names: readonly string[]): Buffer {
  const entries = names.map((name) => {
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(name.length, 28);
    return Buffer.concat([entry, Buffer.from(name)]);
  });
  const directory = Buffer.concat(entries);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt32LE(directory.length, 12);
  return Buffer.concat([directory, end]);
}

const part = (fields: string, body = 'x') => `--b\r\n${fields}\r\n\r\n${body}\r\n`;
const mixed = (...parts: string[]) =>
  Buffer.from(
    `From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n${parts.join('')}--b--\r\n`,
  );

describe('attachmentsOf()', () => {
  test.each([
    ['a plain name', 'Content-Disposition: attachment; filename="a.exe"', ['a.exe']],
    ['the name of the type', 'Content-Type: application/pdf; name=a.PDF', ['a.PDF']],
    [
      'both, where they differ',
      'Content-Type: x/y; name=a.pdf\r\nContent-Disposition: attachment; filename=b.exe',
      ['b.exe', 'a.pdf'],
    ],
    ['inline ones too', 'Content-Disposition: inline; filename=a.js', ['a.js']],
    ['an encoded word', 'Content-Disposition: attachment; filename="=?utf-8?B?csO2LmV4ZQ==?="', ['rö.exe']],
    ['percent-encoded', "Content-Disposition: attachment; filename*=utf-8''r%C3%B6%2Eexe", ['rö.exe']],
    ['in pieces', 'Content-Disposition: attachment; filename*0="a.e"; filename*1="xe"', ['a.exe']],
    [
      'in coded pieces, out of order',
      "Content-Disposition: attachment; filename*1*=%2Eexe; filename*0*=utf-8''a",
      ['a.exe'],
    ],
    ['folded', 'Content-Disposition: attachment;\r\n\tfilename=\r\n a.exe', ['a.exe']],
    [
      'with blanks and no quotes',
      'Content-Disposition: attachment; filename=my file.exe',
      ['my file.exe', 'my'],
    ],
    ['a quote that never ends', 'Content-Disposition: attachment; filename="a.exe', ['a.exe']],
    ['an escaped quote', 'Content-Disposition: attachment; filename="a\\".exe"', ['a".exe']],
    ['none', 'Content-Type: text/plain', []],
  ])('%s', (_, fields, names) => {
    expect(attachmentsOf(mixed(part(fields))).names).toEqual(names);
  });

  test('a message that is all attachment', () => {
    const message = Buffer.from(
      'Content-Type: application/x-msdownload\r\nContent-Disposition: attachment; filename=x.scr\r\n\r\nMZ',
    );
    expect(attachmentsOf(message)).toEqual({
      names: ['x.scr'],
      extensions: ['scr'],
      types: ['application/x-msdownload'],
    });
  });

  test('names in a zip archive, under whatever name it comes', () => {
    const body = zip.toString('base64').replace(/.{76}/g, '$&\r\n');
    const fields = 'Content-Transfer-Encoding: base64\r\nContent-Type: application/zip';
    expect(attachmentsOf(mixed(part(fields, body)))).toMatchObject({
      names: ['archive.zip/invoice.pdf.exe', 'archive.zip/d/readme.txt'],
      extensions: ['exe', 'txt'],
    });
    const named = 'Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=bill.ZIP';
    expect(attachmentsOf(mixed(part(named, body))).names).toContain('bill.ZIP/invoice.pdf.exe');
  });

  test('what is not looked at is told', () => {
    const fields = 'Content-Disposition: attachment; filename=a.zip';
    expect(attachmentsOf(mixed(part(fields, 'no archive'))).cut).toMatch(/without a directory/);
    expect(attachmentsOf(mixed(part(fields, 'x'.repeat(200))), { archiveBytes: 100 }).cut).toMatch(
      /too large/,
    );
    expect(
      attachmentsOf(mixed(...Array.from({ length: 20 }, () => part(fields))), { parts: 10 }).cut,
    ).toMatch(/10 parts/);
  });

  test('a program behind hundreds of other names is found, or it is told that there were too many', () => {
    const inZip = (names: string[]) =>
      attachmentsOf(
        mixed(
          part(
            'Content-Transfer-Encoding: base64\r\nContent-Type: application/zip',
            zipOf(names).toString('base64'),
          ),
        ),
      );
    const decoys = Array.from({ length: maxEntries }, (_, index) => `${index}.txt`);
    expect(inZip([...decoys.slice(1), 'a.exe'])).toMatchObject({ extensions: ['txt', 'exe'] });
    expect(inZip([...decoys, 'a.exe']).cut).toBe('a zip archive of more than 1000 files');
    const kinds = Array.from({ length: 200 }, (_, index) => `a.x${index}`);
    expect(inZip([...kinds, 'b.x0'])).not.toHaveProperty('cut');
    expect(inZip([...kinds, 'a.exe']).cut).toBe('more than 200 kinds of attachments');
  });

  test('100,000 parts with names, and fields full of them, are bounded', () => {
    const many = mixed(
      ...Array.from({ length: 100_000 }, (_, index) =>
        part(`Content-Disposition: attachment; filename=${index}.e${index}`),
      ),
    );
    const fields = `Content-Disposition: attachment${'; filename="a.exe"'.repeat(10_000)}`;
    const before = performance.now();
    const { names, extensions, cut } = attachmentsOf(many);
    attachmentsOf(mixed(...Array.from({ length: 30 }, () => part(fields))));
    expect(performance.now() - before).toBeLessThan(3000);
    expect([names.length, extensions.length]).toEqual([50, 200]);
    expect(cut).toBe('more than 1000 parts');
  });

  const hidden = 'Content-Disposition: attachment; filename="evil.exe"';
  const forwarded = `Subject: look\r\n${hidden}\r\n\r\nMZ`;
  const whole = (message: string) => attachmentsOf(Buffer.from(message));
  test.each([
    ['a message within the message', mixed(part('Content-Type: message/rfc822', forwarded))],
    [
      'one in base64',
      mixed(
        part(
          'Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64',
          Buffer.from(mixed(part(hidden))).toString('base64'),
        ),
      ),
    ],
    [
      'one in quoted-printable',
      mixed(
        part(
          'Content-Type: message/rfc822\r\nContent-Transfer-Encoding: quoted-printable',
          forwarded.replaceAll('=', '=3D').replace('evil', 'ev=\r\nil'),
        ),
      ),
    ],
    [
      'one in a digest',
      Buffer.from(`Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\n${forwarded}`),
    ],
    [
      'two types, of which the first hides the parts',
      Buffer.from(`Content-Type: text/plain\r\n${mixed(part(hidden)).toString()}`),
    ],
    [
      'two boundaries',
      Buffer.from(mixed(part(hidden)).toString().replace('boundary=b', 'boundary=a; boundary=b')),
    ],
    ['a NUL in the name', mixed(part(hidden.replace('evil.exe', 'evil.exe\0.txt')))],
    ['the name of a stream', mixed(part(hidden.replace('evil.exe', 'evil.exe::$DATA')))],
    ['a name that is folded', mixed(part(hidden.replace('evil.exe', 'evil.\r\n exe')))],
    ['full-width letters', mixed(part(hidden.replace('exe', '\uff45xe')))],
    ['a zero-width space', mixed(part(hidden.replace('exe', 'e\u200bxe')))],
    ['uuencode', Buffer.from('Subject: a\r\n\r\nHello\r\nbegin 644 evil.exe\r\n#0V%T\r\n`\r\nend\r\n')],
    [
      'uuencode in base64',
      Buffer.from(
        `Content-Transfer-Encoding: base64\r\n\r\n${Buffer.from('begin 644 evil.exe\n#0V%T\n').toString('base64')}`,
      ),
    ],
    ['uuencode in mail without a header', Buffer.from('\r\nbegin 644 evil.exe\r\n#0V%T\r\n')],
  ])('finds what %s hides', (_, message) => {
    expect(attachmentsOf(message).extensions).toContain('exe');
    expect(attachmentsOf(message)).not.toHaveProperty('cut');
  });

  test('tells what of messages within the message is not looked at', () => {
    const nested = (depth: number) => `${'Content-Type: message/rfc822\r\n\r\n'.repeat(depth)}${forwarded}`;
    expect(whole(nested(20)).extensions).toEqual(['exe']);
    expect(whole(nested(21)).cut).toBe('parts more than 20 deep');
    expect(whole('Content-Type: message/partial; id=a; number=1\r\n\r\nx').cut).toBe('a piece of a message');
    const odd = 'Content-Type: message/rfc822\r\nContent-Transfer-Encoding: x-own\r\n\r\n';
    expect(whole(odd + forwarded).cut).toMatch(/encoding that cannot be read/);
    const coded = 'Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n';
    expect(attachmentsOf(Buffer.from(coded + 'x'.repeat(200)), { archiveBytes: 100 }).cut).toMatch(
      /too large/,
    );
  });

  test('parts that can be read in many ways, and texts full of files, are bounded', () => {
    const boundaries = ['a', 'b', 'c', 'd'];
    const riddle = `Content-Type: multipart/mixed; ${boundaries.map((each) => `boundary=${each}`).join('; ')}\r\n\r\n`;
    const opened = boundaries.map((each) => `--${each}\r\n`).join('');
    const message = `${(riddle + opened).repeat(15)}${' '.repeat(10_000_000)}`;
    const before = performance.now();
    expect(whole(message).cut).toBeDefined();
    expect(whole(`Subject: a\r\n\r\n${'begin 644 a\n'.repeat(1_000_000)}`).cut).toMatch(/too many files/);
    expect(performance.now() - before).toBeLessThan(3000);
  });
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeField, encodeName } from './encode-words.ts';
import { decodeEncodedWords, unstructuredText } from './encoded-words.ts';
import { parseHeader } from './header.ts';
import { mailboxesOf } from './mailboxes.ts';

const fieldOf = (text: string, encoding: BufferEncoding = 'utf8') => {
  const [field] = parseHeader(Buffer.from(text, encoding)).fields;
  if (field === undefined) throw new Error(`no field: ${text}`);
  return field;
};
const encoded = (text: string, encoding?: BufferEncoding) => encodeField(fieldOf(text, encoding)).toString();

test.each([
  ['Subject: plain\r\n', 'Subject: plain\r\n'],
  ['Subject: Cron <root@host> echo grün\r\n', 'Subject: Cron <root@host> echo =?utf-8?b?Z3LDvG4=?=\r\n'],
  ['Subject: ü and ä, b\r\n', 'Subject: =?utf-8?b?w7wgYW5kIMOkLA==?= b\r\n'],
  [
    'To: Jörg <j@example.org>, b@example.org\r\n',
    'To: =?utf-8?b?SsO2cmc=?= <j@example.org>, b@example.org\r\n',
  ],
  ['From: "Müller, \\"A\\"" <a@b.org>\r\n', 'From: =?utf-8?b?TcO8bGxlciwgIkEi?= <a@b.org>\r\n'],
  ['Cc: a@b.org (Jörg)\r\n', 'Cc: a@b.org (=?utf-8?b?SsO2cmc=?=)\r\n'],
  // An address beyond ASCII is what it is: the server says what it needs.
  ['To: jörg@example.org\r\n', 'To: jörg@example.org\r\n'],
  ['Content-Type: text/plain; name="ü"\r\n', 'Content-Type: text/plain; name="ü"\r\n'],
])('encodeField(%j) is %j', (text, expected) => {
  expect(encoded(text)).toBe(expected);
});

test.each([
  ['To: "A" Jörg <j@b.org>\r\n', 'To: "A" =?utf-8?b?SsO2cmc=?= <j@b.org>\r\n'],
  ['To: "Jörg <j@b.org>\r\n', 'To: "Jörg <j@b.org>\r\n'],
  ['To: a@b.org (ü\r\n', 'To: a@b.org (ü\r\n'],
  ['To: a@b.org (a (ü) ö)\r\n', 'To: a@b.org (a (=?utf-8?b?w7w=?=) ö)\r\n'],
])('encodeField(%j), of names that are put together oddly, is %j', (text, expected) => {
  expect(encoded(text)).toBe(expected);
});

test.each(['a ', ' ', '"', '\\"', '(', '\\(', 'a"', '<', 'ü '])(
  'encodeField() takes no time for a field of many %j',
  (piece) => {
    const text = `To: ü "(${piece.repeat(30_000 / piece.length)}${' '.repeat(30_000)}x\r\n`;
    const begun = performance.now();
    for (const field of [text, text.replace('"', ''), text.replace('"(', '')]) encoded(field);
    expect(performance.now() - begun).toBeLessThan(2000);
  },
);

test('encodeField() takes what is not UTF-8 for Windows-1252', () => {
  expect(encoded('Subject: gr\xfcn\r\n', 'latin1')).toBe('Subject: =?utf-8?b?Z3LDvG4=?=\r\n');
});

test('encodeField(): any Subject reads as it was written, in ASCII and in lines of at most 78 characters', () => {
  const words = fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), {
    minLength: 1,
    maxLength: 20,
  });
  const isText = (text: string) =>
    !/[\p{Cc}\u2028\u2029\ufeff]|=\?|[^\S ]/u.test(text) && text.isWellFormed();
  fc.assert(
    fc.property(words, (parts) => {
      const text = parts.join(' ').replace(/ +/g, ' ').trim();
      fc.pre(isText(text) && /[^\x20-\x7e]/.test(text));
      const raw = encoded(`Subject: ${text}\r\n`);
      expect(raw).toMatch(/^[\x20-\x7e\r\n]*$/);
      expect(unstructuredText(fieldOf(raw))).toBe(text);
      for (const line of raw.split('\r\n').filter((each) => each.startsWith(' ')))
        expect(line.split(' ')[1]?.length).toBeLessThan(76);
    }),
  );
});

test('encodeName() is a phrase that reads as the name', () => {
  for (const name of ['Full Name', 'A "B" C', 'Full Näme', '日本'.repeat(60)]) {
    const [mailbox] = mailboxesOf(`${encodeName(name)} <a@example.org>`)?.mailboxes ?? [];
    expect(decodeEncodedWords(mailbox?.displayName ?? '')).toBe(name);
  }
});

import { describe, expect, it, test } from 'vitest';
import { compose, type Draft } from './compose.ts';
import { fieldValue, findFields, parseHeader } from './header.ts';

const draft: Draft = {
  from: 'Bob <bob@example.com>',
  to: ['Alice <alice@example.net>'],
  date: 0,
  messageId: '<1@example.com>',
};

async function composed(more: Partial<Draft>) {
  const { content, recipients, smtputf8 } = await compose({ ...draft, ...more });
  const { fields, bodyOffset } = parseHeader(content);
  const value = (name: string) => findFields(fields, name).map(fieldValue).join('|');
  return {
    text: content.toString(),
    body: content.toString('utf8', bodyOffset),
    recipients,
    smtputf8,
    value,
  };
}

const alternative = { text: 'plain', html: '<b>rich</b>' };
const attachments = [{ filename: 'ä.bin', content: Buffer.from([0, 1, 255]) }];

describe('compose()', () => {
  test.each<[string, Partial<Draft>]>([
    ['text', { subject: 'Hi', text: 'Hello' }],
    ['nothing', {}],
    ['HTML only', { html: '<b>x</b>' }],
    ['text and HTML', alternative],
    ['attachments', { attachments }],
    ['blind copies only', { to: [], bcc: ['c@example.org'] }],
  ])('M3: a message of %s has all eight fields, each once', async (_what, more) => {
    const { text } = await composed(more);
    const { fields, malformed } = parseHeader(Buffer.from(text));
    const wanted = [
      'mime-version',
      'content-type',
      'content-transfer-encoding',
      'from',
      'to',
      'message-id',
      'date',
      'subject',
    ];
    expect(wanted.map((name) => findFields(fields, name).length)).toEqual(wanted.map(() => 1));
    expect(malformed).toBeUndefined();
  });

  it('M3: takes Date, Message-ID, From, To and Subject as given', async () => {
    const { value } = await composed({ subject: 'Grüße', cc: ['"Doe, J" <j@example.org>'] });
    expect(value('date')).toBe('Thu, 01 Jan 1970 00:00:00 +0000');
    expect(value('message-id')).toBe('<1@example.com>');
    expect(value('from')).toBe('Bob <bob@example.com>');
    expect(value('to')).toBe('Alice <alice@example.net>');
    expect(value('cc')).toBe('"Doe, J" <j@example.org>');
    expect(value('subject')).toBe('=?UTF-8?Q?Gr=C3=BC=C3=9Fe?=');
  });

  it('M3: writes no Bcc anywhere, but gives its recipients', async () => {
    const { text, recipients } = await composed({ bcc: ['secret@example.org'], text: 'x' });
    expect(recipients).toEqual(['alice@example.net', 'secret@example.org']);
    expect(text).not.toMatch(/bcc|secret/i);
  });

  it('M3: has CRLF line ends only, whatever was given', async () => {
    const eml = { filename: 'x.eml', content: Buffer.from('Subject: ü\n\nü\rx\n') };
    const { text, value } = await composed({ text: 'a\nb\rc\r\n', html: '<p>\n</p>', attachments: [eml] });
    expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
    expect(value('content-transfer-encoding')).toBe('8bit');
  });

  it('M8: makes multipart/alternative of text and HTML, the better last', async () => {
    const { body, value } = await composed(alternative);
    expect(value('content-type')).toMatch(/^multipart\/alternative;/);
    expect(value('content-transfer-encoding')).toBe('7bit');
    expect(body.match(/Content-Type: [^;\r]*/g)).toEqual([
      'Content-Type: text/plain',
      'Content-Type: text/html',
    ]);
  });

  it('M8: carries attachments in base64 beside the alternatives', async () => {
    const { body, value } = await composed({ ...alternative, attachments });
    expect(value('content-type')).toMatch(/^multipart\/mixed;/);
    expect(body).toContain('multipart/alternative');
    expect(body).toContain("filename*0*=utf-8''%C3%A4.bin");
    expect(body).toContain('\r\n\r\nAAH/\r\n');
  });

  it('encodes 8-bit text and long lines, and leaves plain text alone', async () => {
    expect((await composed({ text: 'plain' })).value('content-transfer-encoding')).toBe('7bit');
    expect((await composed({ text: 'für' })).body).toBe('f=C3=BCr\r\n');
    const long = await composed({ text: 'x'.repeat(3000) });
    expect(Math.max(...long.text.split('\r\n').map(({ length }) => length))).toBeLessThan(100);
  });

  it('is the same each time', async () => {
    const texts = await Promise.all([composed(alternative), composed(alternative)]);
    expect(texts[0]?.text).toBe(texts[1]?.text);
  });

  it('says when an address needs SMTPUTF8', async () => {
    expect((await composed({})).smtputf8).toBe(false);
    expect((await composed({ to: ['jürgen@bücher.example'] })).smtputf8).toBe(true);
    expect((await composed({ to: ['j@bücher.example'] })).value('to')).toBe('j@xn--bcher-kva.example');
  });

  test.each<[string, Partial<Draft>]>([
    ['an address it cannot parse', { to: ['Alice'] }],
    ['a header in an address', { to: ['a@b.example\r\nBcc: x@y.example'] }],
    ['two senders', { from: 'a@b.example, c@d.example' }],
    ['no recipient', { to: [] }],
  ])('rejects %s', async (_what, more) => {
    await expect(composed(more)).rejects.toThrow(/^Cannot /);
  });

  it('writes no second field out of a subject', async () => {
    const { value, text } = await composed({ subject: 'x\r\nBcc: a@b.example' });
    expect(value('bcc')).toBe('');
    expect(text).not.toMatch(/^Bcc/m);
  });
});

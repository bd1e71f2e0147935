import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  maxReplyLineBytes,
  maxReplyLines,
  maxReplyText,
  ReplyParser,
  ReplySyntaxError,
} from './reply-parser.ts';

function parse(text: string, cut = text.length) {
  const parser = new ReplyParser();
  const replies = [];
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += cut) {
    parser.receive(bytes.subarray(at, at + cut));
    for (let reply = parser.next(); reply !== undefined; reply = parser.next()) replies.push(reply);
  }
  return replies;
}

describe('ReplyParser', () => {
  const table: [string, string, ReturnType<typeof parse>][] = [
    ['one line', '220 mx ready\r\n', [{ code: 220, lines: ['mx ready'] }]],
    ['a code alone', '250\r\n', [{ code: 250, lines: [''] }]],
    ['a bare LF', '250 ok\n', [{ code: 250, lines: ['ok'] }]],
    [
      'an enhanced status on every line',
      '550-5.1.1 no such\r\n550 5.1.1 user\r\n',
      [{ code: 550, enhanced: '5.1.1', lines: ['no such', 'user'] }],
    ],
    ['a status alone', '250 2.1.5\r\n', [{ code: 250, enhanced: '2.1.5', lines: [''] }]],
    ['a status of another class', '550 2.0.0 what\r\n', [{ code: 550, lines: ['2.0.0 what'] }]],
    [
      'no status where a number only looks like one',
      '250 5.10 beta\r\n',
      [{ code: 250, lines: ['5.10 beta'] }],
    ],
    [
      'several replies at once',
      '250 a\r\n354-b\r\n354 c\r\n',
      [
        { code: 250, lines: ['a'] },
        { code: 354, lines: ['b', 'c'] },
      ],
    ],
    ['escape sequences, made harmless', '550 \x1b[2Jhi\x07\r\n', [{ code: 550, lines: [' [2Jhi '] }]],
  ];
  it.each(table)('reads %s, however it is cut', (_, text, replies) => {
    for (const cut of [text.length, 1, 2, 5]) expect(parse(text, cut)).toEqual(replies);
  });

  it.each([
    ['garbage', 'HTTP/1.1 400 Bad Request\r\n'],
    ['a code out of range', '650 what\r\n'],
    ['a short code', '25 ok\r\n'],
    ['a code glued to its text', '250ok\r\n'],
    ['codes that differ', '250-a\r\n550 b\r\n'],
    ['an endless line', `250 ${'x'.repeat(maxReplyLineBytes)}`],
    ['endless lines', '250-x\r\n'.repeat(maxReplyLines + 1)],
  ])('refuses %s', (_, text) => {
    expect(() => parse(text)).toThrow(ReplySyntaxError);
  });

  it('is idle only between replies', () => {
    const parser = new ReplyParser();
    parser.receive(Buffer.from('250-a\r\n'));
    expect([parser.next(), parser.idle]).toEqual([undefined, false]);
    parser.receive(Buffer.from('250 b\r\n'));
    expect([parser.next()?.lines, parser.idle]).toEqual([['a', 'b'], true]);
  });

  it.each([
    ['nothing', '', []],
    ['a whole reply', '250 2.1.0 ok\r\n', []],
    ['the beginning of one', '250-2.1.0 a\r\n250 2.1', ['250-2.1.0 a', '250 2.1']],
    ['what is no reply', '250-a\r\nwh\x1bat?\r\n250 b\r\n', ['250-a', 'wh?at?']],
    ['a line without end', `250 ${'x'.repeat(5000)}`, [`250 ${'x'.repeat(maxReplyLineBytes - 4)}`]],
  ])('fragment() is what has not become a reply: %s', (_, text, expected) => {
    const parser = new ReplyParser();
    parser.receive(Buffer.from(text));
    try {
      while (parser.next() !== undefined);
    } catch (error) {
      if (!(error instanceof ReplySyntaxError)) throw error;
    }
    expect(parser.fragment()).toEqual(expected);
  });

  it('keeps maxReplyText of a reply, and all its lines', () => {
    const [reply] = parse(
      `${`550-5.1.1 ${'x'.repeat(4000)}\r\n`.repeat(maxReplyLines - 1)}550 5.1.1 end\r\n250 ok\r\n`,
    );
    expect(reply).toMatchObject({ code: 550, enhanced: '5.1.1' });
    expect(reply?.lines).toHaveLength(maxReplyLines);
    expect(reply?.lines.join('')).toHaveLength(maxReplyText);
  });

  it('holds what comes unasked in single octets at no cost but their own', () => {
    const parser = new ReplyParser();
    const octets = Array.from(Buffer.from('250 ok\r\n'.repeat(32_768)), (octet) => Buffer.of(octet));
    const before = process.cpuUsage();
    for (const octet of octets) parser.receive(octet);
    const { user, system } = process.cpuUsage(before);
    expect(parser.unreadBytes).toBe(octets.length);
    expect(parser.next()).toEqual({ code: 250, lines: ['ok'] });
    expect((user + system) / 1000).toBeLessThan(500);
  });

  it('gives replies or a ReplySyntaxError, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (chunks) => {
        const parser = new ReplyParser();
        try {
          for (const chunk of chunks) {
            parser.receive(Buffer.from(chunk));
            while (parser.next() !== undefined);
          }
        } catch (error) {
          if (!(error instanceof ReplySyntaxError)) throw error;
        }
      }),
    );
  });
});

import { describe, expect, test } from 'vitest';
import { parseHeader } from '../mail/header.ts';
import { findAuthor, longestFrom } from './author.ts';

const authorOf = (header: string) => findAuthor(parseHeader(Buffer.from(`${header}\r\n\r\n`)).fields);

describe('findAuthor()', () => {
  test.each([
    ['From: Ann <ann@Example.com>', 'example.com'],
    ['From: ann@example.com, "B, C" <bob@example.com>', 'example.com'],
    ['From: ann@b\u00fccher.example', 'xn--bcher-kva.example'],
    ['From: ann@example.com is what I call myself', 'example.com'],
  ])('finds the domain in %j', (header, domain) => {
    expect(authorOf(header)).toEqual({ domain });
  });

  test.each([
    ['Subject: none', 'the message has no From field'],
    ['From: a@example.com\r\nFrom: a@example.com', 'the message has 2 From fields'],
    ['From: nobody', 'From holds no address'],
    ['From: a@example.com, b@example.net', 'From holds addresses of 2 domains'],
    ['From: "a@example.net" <b@example.com> <c@example.org>', 'From holds addresses of 3 domains'],
  ])('says why there is none in %j', (header, problem) => {
    expect(authorOf(header)).toEqual({ problem });
  });

  test('reads a From up to its limit, and none beyond', () => {
    const list = 'a@example.com,\r\n '.repeat(400);
    expect(authorOf(`From: ${list}b@example.com`)).toEqual({ domain: 'example.com' });
    expect(authorOf(`From: ${list}${list}b@example.com`)).toEqual({
      problem: `From is longer than ${longestFrom} octets`,
    });
  });
});

import { expect, test } from 'vitest';
import { help } from './session-replies.ts';

test.each([
  [['PIPELINING', 'STARTTLS'], 'STARTTLS HELP QUIT'],
  [['PIPELINING', 'AUTH PLAIN'], 'VRFY AUTH HELP QUIT'],
  [['PIPELINING'], 'VRFY HELP QUIT'],
])('help() names what is offered now: %j', (offered, words) => {
  expect(help(offered).lines[0]).toContain(words);
});

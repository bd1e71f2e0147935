import { expect, test } from 'vitest';
import { commentator } from './commentary.ts';

/** The comments on a dialogue, one line each, '' where there is none. */
function commentsOn(dialogue: string): string[] {
  const commentOn = commentator();
  return dialogue.split('\n').map((line) => commentOn(line.trim()) ?? '');
}

const taken = 'taken: from here on the server is responsible for it';

test('commentator() knows which command a pipelined reply answers', () => {
  const comments = commentsOn(`C: MAIL FROM:<a@example.com>
    C: RCPT TO:<b@example.net>
    C: BDAT 120 LAST
    C: (120 octets of message)
    S: 250 2.1.0 OK
    S: 250 2.1.5 OK
    S: 250-2.0.0 Taken
    S: 250 2.0.0 as 5`);
  expect(comments.slice(4)).toEqual(['', '', '', taken]);
});

test.each([
  ['the client', 'C: DATA\nS: 354 Go\nC: (9 octets of message)\nC: .\nS: 250 OK'],
  ['the server', 'C: DATA\nS: 354 Go\nC: (9 octets of message)\nS: 250 OK'],
])('commentator() finds the reply that counts in what %s recorded', (_, dialogue) => {
  expect(commentsOn(dialogue).filter((comment) => comment === taken)).toHaveLength(1);
  expect(commentsOn(dialogue).at(-1)).toBe(taken);
});

test('commentator() explains refusals, also those that nobody asked for', () => {
  expect(commentsOn('S: 554 5.7.1 Go away')).toEqual(['"no, and do not ask again"']);
  expect(commentsOn('S: 220 hello\nS: 421 4.3.2 Shutting down')[1]).toBe(
    '"not now": worth another try later',
  );
  expect(commentsOn('C: DATA\nS: 354 Go\nC: .\nS: 552 5.3.4 Too large').at(-1)).toBe(
    '"no, and do not ask again"',
  );
});

test('commentator() takes a second 220 for the agreement to STARTTLS only', () => {
  expect(commentsOn('S: 220 hi\nC: STARTTLS\nS: 220 go\nC: EHLO x')).toEqual([
    'connected: the server greets',
    'the client asks for an encrypted connection',
    'agreed; the TLS handshake happens here',
    'once more, encrypted: what was said before counts no longer',
  ]);
});

test('commentator() follows AUTH through its steps, and LMTP to its replies', () => {
  const comments = commentsOn(`S: 220 hi
    C: LHLO x
    S: 250 AUTH SCRAM-SHA-256
    C: AUTH SCRAM-SHA-256 ***
    S: 334 ***
    C: ***
    S: 235 2.7.0 OK
    C: DATA
    S: 354 Go
    C: .
    S: 250 2.0.0 a
    S: 450 4.2.0 b`);
  expect(comments.filter((comment) => comment !== '')).toEqual([
    'connected: the server greets',
    'the client introduces itself; this server will answer for each recipient at the end (LMTP)',
    'the client proves which account it is; what it says is not kept here',
    'the server asks for proof; neither question nor answer is kept here',
    'the server knows now who we are',
    'the client asks to send the message itself',
    'go ahead',
    'a dot alone: here the message ends',
    taken,
    '"not now": worth another try later',
  ]);
});

/** The answering side of POP3, before and after TLS, with a maildrop of three messages whose dots are to be stuffed. */

import type { Pop3Answer, Pop3Event } from '../../src/pop3/event.ts';
import { Pop3Session } from '../../src/pop3/session.ts';
import type { Pop3SessionOptions } from '../../src/pop3/session-options.ts';
import { transcriptSeeds } from '../corpus.ts';
import { pop3Session } from '../grammar/pop3.ts';
import { byteByByte, whole } from '../packets.ts';
import { play, playEveryWay, type Stage } from '../play-machine.ts';
import { between, demand, type Target } from './target.ts';

const contents = ['A: b\r\n\r\n.\r\n..\r\nend', '.\r\n', `Subject: long\r\n\r\n${'.line\r\n'.repeat(20)}`];

const messages = contents.map((content, index) => ({ sizeBytes: content.length, uniqueId: `id${index}` }));

/** Octets of a piece of a message: small, so that dots and line ends are cut. */
const pieceBytes = 5;

function stage(options: Pop3SessionOptions): Stage<Pop3Event, Pop3Answer> {
  const committed: unknown[] = [];
  let reading: Buffer = Buffer.alloc(0);
  let challenges = 0;

  function decide(event: Pop3Event): Pop3Answer {
    switch (event.type) {
      case 'login':
        // SCRAM has one challenge of the server's, then it is decided.
        if (!('password' in event.claim))
          return challenges++ % 2 === 0
            ? { kind: 'challenge', text: 'and then?' }
            : { kind: 'refused', code: 'AUTH', text: 'wrong', close: false };
        return event.claim.password === 'secret'
          ? { kind: 'maildrop', messages }
          : { kind: 'refused', code: 'AUTH', text: 'wrong', close: event.claim.user === 'goodbye' };
      case 'retrieve':
        reading = Buffer.from(contents[event.number - 1] ?? '');
        return { kind: 'ok' };
      case 'more':
        return nextPiece();
      case 'commit':
        committed.push(event.deleted);
        return { kind: 'ok' };
      default:
        return { kind: 'ok' };
    }
  }

  function nextPiece(): Pop3Answer {
    const bytes = reading.subarray(0, pieceBytes);
    reading = reading.subarray(pieceBytes);
    return bytes.length === 0 ? { kind: 'end' } : { kind: 'chunk', bytes };
  }

  return { machine: new Pop3Session(options), decide, outcome: () => committed };
}

function checkResponses(output: string): void {
  demand(output === '' || output.endsWith('\r\n'), 'the last response has no line end');
  const first = output.split('\r\n', 1)[0] ?? '';
  demand(first.startsWith('+OK '), `not a greeting: ${first}`);
  demand(!/[^\r\n\x20-\x7e\x80-\xff]/.test(output), 'a control character is said');
}

const mechanisms = ['SCRAM-SHA-256', 'PLAIN'];

function target(
  name: string,
  options: Omit<Pop3SessionOptions, 'hostname' | 'mechanisms'>,
  folder: string,
): Target {
  const start = () => stage({ hostname: 'pop.example.net', mechanisms, ...options });
  return {
    name,
    seeds: () => transcriptSeeds(`src/pop3/transcripts/${folder}`),
    generate: pop3Session,
    read: (input) => play(start(), [input], whole),
    check: (input) => checkResponses(playEveryWay(start, input).output),
    trickle: (input) => play(start(), [input], byteByByte),
    places: [
      between('USER bob\r\nPASS '),
      between('AUTH PLAIN\r\n'),
      between('AUTH SCRAM-SHA-256\r\n'),
      between('USER bob\r\nPASS secret\r\nTOP '),
    ],
  };
}

export const pop3ClearText = target('pop3', { startTls: false, allowPlaintextAuth: true }, 'clear-text');
export const pop3Tls = target('pop3-stls', { startTls: true, allowPlaintextAuth: false }, 'tls');

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Application } from '../net/machine.ts';
import { playEveryWay, type Serve } from '../testing/transcript.ts';
import { readTranscripts } from '../testing/transcript-format.ts';
import type { Pop3Answer, Pop3Event } from './event.ts';
import { Pop3Session } from './session.ts';
import {
  maxCommandLineBytes,
  maxFaults,
  maxPendingBytes,
  maxSaslLineBytes,
  type Pop3SessionOptions,
} from './session-options.ts';
import { firstLines } from './top.ts';

const contents = [
  'From: alice@example.net\r\nSubject: one\r\n\r\nHello\r\n',
  'Subject: dots\r\n\r\n.\r\n.leading\r\nin. the middle.\r\n..two\r\n\r\n.\r\nnot the end, yet',
  'Subject: no line end at the end of the message\r\n\r\nthe end',
];
const uniqueIds = ['unique-one', 'unique-two', 'unique-three'];

async function* inPieces(content: string, pieceBytes: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(content);
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

/** Serves bob's mailbox, in memory; messages come in tiny pieces. What QUIT removes, later sessions do not see. */
function mailboxInMemory(options: Partial<Pop3SessionOptions> = {}): Serve<Pop3Event, Pop3Answer> {
  const mailbox = contents.map((content, index) => ({
    content,
    sizeBytes: Buffer.byteLength(content),
    uniqueId: uniqueIds[index] ?? '',
  }));
  return () => ({ machine: session(options), application: mailboxApplication(mailbox) });
}

function mailboxApplication(
  mailbox: { content: string; sizeBytes: number; uniqueId: string }[],
): Application<Pop3Event, Pop3Answer> {
  let content: AsyncIterator<Buffer> | undefined;
  return {
    async handle(event) {
      switch (event.type) {
        case 'connect':
        case 'drain':
          return { kind: 'ok' };
        case 'login':
          if (!('password' in event.claim)) return challengeOf(event.claim.message);
          return event.claim.user === 'bob@example.com' && event.claim.password === 'correct horse'
            ? { kind: 'maildrop', messages: mailbox.slice() }
            : { kind: 'refused', code: 'AUTH', text: 'Wrong user or password' };
        case 'retrieve': {
          const pieces = inPieces(mailbox[event.number - 1]?.content ?? '', 3);
          content = event.bodyLines === undefined ? pieces : firstLines(pieces, event.bodyLines);
          return { kind: 'ok' };
        }
        case 'more': {
          const piece = await content?.next();
          return piece?.done === false ? { kind: 'chunk', bytes: piece.value } : { kind: 'end' };
        }
        case 'commit':
          for (const number of event.deleted.toReversed()) mailbox.splice(number - 1, 1);
          return { kind: 'ok' };
      }
    },
    closed() {},
  };
}

/** Of a mechanism of its own: one message, one question, one answer. */
const challengeOf = (message: string): Pop3Answer => {
  if (message === 'hello') return { kind: 'challenge', text: 'who are you?' };
  return message === 'bob'
    ? { kind: 'maildrop', messages: [] }
    : { kind: 'refused', code: 'AUTH', text: 'Wrong user or password' };
};

const session = (options: Partial<Pop3SessionOptions> = {}): Pop3Session =>
  new Pop3Session({
    hostname: 'pop.example.com',
    startTls: false,
    allowPlaintextAuth: true,
    mechanisms: ['SCRAM-SHA-256', 'PLAIN'],
    ...options,
  });

/** What a session says to `input`, its events answered by `answer`; output is taken as the driver takes it. */
function converse(machine: Pop3Session, input: string, answer: (event: Pop3Event) => Pop3Answer): string {
  let said = '';
  machine.receive(Buffer.from(input));
  for (let event = machine.next(); event !== undefined; event = machine.next()) {
    said += machine.output() ?? '';
    machine.reply(answer(event));
  }
  return said + (machine.output() ?? '');
}

const ok = (): Pop3Answer => ({ kind: 'ok' });

describe('transcripts', () => {
  for (const transcript of readTranscripts(new URL('transcripts/clear-text', import.meta.url))) {
    test(transcript.title, () => playEveryWay(transcript, () => mailboxInMemory()));
  }
  for (const transcript of readTranscripts(new URL('transcripts/tls', import.meta.url))) {
    const options = { startTls: true, allowPlaintextAuth: false };
    test(transcript.title, () => playEveryWay(transcript, () => mailboxInMemory(options)));
  }
});

describe('Pop3Session', () => {
  test('P10: with TLS from the first octet passwords are taken and STLS is not offered', () => {
    const tls = { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' };
    const machine = session({ tls, startTls: true, allowPlaintextAuth: false });
    const said = converse(machine, 'CAPA\r\nUSER bob\r\n', ok);
    expect(said).toContain('\r\nUSER\r\nSASL SCRAM-SHA-256 PLAIN\r\n');
    expect(said).not.toContain('STLS');
    expect(said).toMatch(/\+OK Now PASS\r\n$/);
  });

  test('says where TLS is, when it has none to offer', () => {
    const machine = session({ allowPlaintextAuth: false });
    expect(converse(machine, 'USER bob\r\n', ok)).toContain(
      '-ERR [AUTH] Passwords are not taken in clear text: connect',
    );
  });

  test('takes commands of 255 octets and refuses 256 (RFC 2449 §4)', () => {
    const longest = `USER ${'x'.repeat(maxCommandLineBytes - 'USER \r\n'.length)}`;
    expect(converse(session(), `${longest}\r\n`, ok)).toContain('+OK Now PASS');
    expect(converse(session(), `${longest}x\r\nUSER bob\r\n`, ok)).toMatch(
      /-ERR Line too long.*\r\n\+OK Now PASS/,
    );
  });

  test('takes the longest response within AUTH, and forgets AUTH after a longer one', () => {
    const message = 'x'.repeat(((maxSaslLineBytes - 2) / 4) * 3);
    const longest = Buffer.from(message).toString('base64');
    expect(longest.length + 2).toBe(maxSaslLineBytes);
    const machine = session();
    converse(machine, `AUTH SCRAM-SHA-256\r\n${longest}\r\n`, (event) => {
      if (event.type === 'login') expect(event.claim).toMatchObject({ message });
      return event.type === 'login' ? { kind: 'maildrop', messages: [] } : { kind: 'ok' };
    });
    const said = converse(session(), `AUTH PLAIN\r\n${longest}=\r\nUSER bob\r\n`, ok);
    expect(said).toMatch(/-ERR Line too long.*\r\n\+OK Now PASS/);
  });

  test('ends after too many bad commands', () => {
    const machine = session();
    const said = converse(machine, 'GET / HTTP/1.1\r\n'.repeat(maxFaults + 5), ok)
      .split('\r\n')
      .slice(1, -1);
    expect(said).toHaveLength(maxFaults + 1);
    expect(said.at(-1)).toBe('-ERR Too many bad commands');
    expect(machine.ended).toBe(true);
  });

  test('ends at a line without an end', () => {
    const machine = session();
    let said = '';
    for (let sent = 0; !machine.ended && sent < 1000; sent++) said += converse(machine, 'x'.repeat(1000), ok);
    expect(machine.ended).toBe(true);
    expect(said).toMatch(/-ERR This line has no end\r\n$/);
  });

  test('a listing of any length, asked for again and again, is made no faster than it is read', () => {
    const machine = session();
    const messages = Array.from({ length: 5000 }, (_, index) => ({
      sizeBytes: 1,
      uniqueId: `${index}`.padStart(70, 'x'),
    }));
    const answer = (event: Pop3Event): Pop3Answer =>
      event.type === 'login' ? { kind: 'maildrop', messages } : { kind: 'ok' };
    machine.receive(Buffer.from(`USER bob\r\nPASS secret\r\n${'UIDL\r\n'.repeat(100)}`));
    let drained = 0;
    let written = 0;
    for (let event = machine.next(); event !== undefined; event = machine.next()) {
      const bytes = machine.output()?.length ?? 0;
      expect(bytes).toBeLessThan(maxPendingBytes + 1000);
      written += bytes;
      if (event.type === 'drain') drained++;
      machine.reply(answer(event));
    }
    expect(written + (machine.output()?.length ?? 0)).toBeGreaterThan(100 * 5000 * 76);
    expect(drained).toBeGreaterThan(100);
  });

  test('cuts the connection, without a terminator, when a message breaks off', () => {
    const machine = session();
    const pieces: Pop3Answer[] = [
      { kind: 'chunk', bytes: Buffer.from('half\r\n') },
      { kind: 'refused', text: 'the disk is gone' },
    ];
    const said = converse(machine, 'USER bob\r\nPASS secret\r\nRETR 1\r\nNOOP\r\n', (event) => {
      if (event.type === 'login') return { kind: 'maildrop', messages: [{ sizeBytes: 9, uniqueId: 'one' }] };
      return event.type === 'more' ? (pieces.shift() ?? { kind: 'end' }) : { kind: 'ok' };
    });
    expect(said).toMatch(/\+OK 9 octets\r\nhalf\r\n$/);
    expect(machine.ended).toBe(true);
  });

  test.each(['connect', 'login'] as const)('a refusal of "%s" can end the session', (type) => {
    const machine = session();
    const said = converse(machine, 'USER bob\r\nPASS secret\r\nNOOP\r\n', (event) =>
      event.type === type
        ? { kind: 'refused', code: 'SYS/TEMP', text: 'Later', close: true }
        : { kind: 'ok' },
    );
    expect(said).toMatch(/-ERR \[SYS\/TEMP\] Later\r\n$/);
    expect(machine.ended).toBe(true);
  });

  test('says when what was marked could not be removed', () => {
    const machine = session();
    const said = converse(machine, 'USER bob\r\nPASS secret\r\nQUIT\r\n', (event) => {
      if (event.type === 'login') return { kind: 'maildrop', messages: [] };
      return event.type === 'commit' ? { kind: 'refused', text: 'Some remain' } : { kind: 'ok' };
    });
    expect(said).toMatch(/-ERR Some remain\r\n$/);
    expect(machine.ended).toBe(true);
  });

  test('end() is silent when idle (RFC 1939 §3), amid a message and while a command waits', () => {
    const idle = session();
    converse(idle, '', ok);
    idle.end('idle');
    const reading = session();
    let last: Pop3Event | undefined;
    reading.receive(Buffer.from('USER bob\r\nPASS secret\r\nRETR 1\r\n'));
    while (last?.type !== 'more') {
      last = reading.next();
      if (last?.type === 'login')
        reading.reply({ kind: 'maildrop', messages: [{ sizeBytes: 9, uniqueId: 'one' }] });
      else if (last?.type !== 'more') reading.reply({ kind: 'ok' });
    }
    reading.reply({ kind: 'chunk', bytes: Buffer.from('half') });
    reading.output();
    reading.end('shutdown');
    const waiting = session();
    waiting.next();
    waiting.end('time');
    waiting.reply({ kind: 'ok' });
    for (const machine of [idle, reading, waiting]) {
      expect(machine.output()).toBeUndefined();
      expect(machine.ended).toBe(true);
      expect(machine.next()).toBeUndefined();
    }
  });

  test('yields one event at a time, and refuses an answer that does not fit', () => {
    const machine = session();
    expect(() => machine.reply({ kind: 'ok' })).toThrow('without an event');
    expect(machine.next()).toEqual({ type: 'connect' });
    expect(machine.next()).toBeUndefined();
    expect(() => machine.reply({ kind: 'end' })).toThrow('"end" does not answer "connect"');
  });
});

describe('fuzz', () => {
  const words = [
    'USER',
    'PASS',
    'AUTH PLAIN',
    '=',
    '*',
    'CAPA',
    'LIST',
    'UIDL',
    'RETR',
    'TOP',
    'DELE',
    'RSET',
    'STLS',
  ];
  const input = fc.array(
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc
          .constantFrom(...words, '1', '2 3', ' ', '\r\n', '\r\n', '\n')
          .map((word) => Buffer.from(word)),
      },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)) },
    ),
    { maxLength: 60 },
  );

  test('whatever the bytes: responses or a close, never a throw', () => {
    fc.assert(
      fc.property(input, fc.boolean(), (packets, allowPlaintextAuth) => {
        const machine = session({ startTls: true, allowPlaintextAuth });
        let said = '';
        for (const packet of packets) {
          said += converse(machine, packet.toString('latin1'), (event) => {
            if (event.type === 'login')
              return { kind: 'maildrop', messages: [{ sizeBytes: 3, uniqueId: 'one' }] };
            return event.type === 'more' ? { kind: 'end' } : { kind: 'ok' };
          });
          if (machine.tlsWanted) machine.tlsStarted({ version: 'TLSv1.3', cipher: 'x' });
        }
        for (const line of said.split('\r\n').slice(0, -1)) {
          expect(line).toMatch(/^(\+OK |-ERR |\+ |\d+ |\.$|[A-Z-]+( |$))/);
        }
        expect(said === '' || said.endsWith('\r\n')).toBe(true);
      }),
    );
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Application } from '../net/machine.ts';
import { playEveryWay } from '../testing/transcript.ts';
import { readTranscripts } from '../testing/transcript-format.ts';
import { type Reply, reply } from './reply.ts';
import { SmtpSession } from './session.ts';
import { maxSkippedBytes, type SmtpEvent, type SmtpSessionOptions } from './session-options.ts';

const outside: SmtpSessionOptions = {
  hostname: 'mx.example.net',
  now: () => 0,
  startTls: true,
  auth: [],
  bareNewline: 'reject',
  messageBytes: 1000,
  recipients: 3,
  commands: 500,
};
const submission: SmtpSessionOptions = { ...outside, auth: ['PLAIN', 'LOGIN'], bareNewline: 'normalize' };

/** Takes everything but mail to "unknown" and any password but "pass"; keeps what it was given. */
class Sink implements Application<SmtpEvent, Reply | undefined> {
  messages: string[] = [];
  #lines: string[] = [];

  handle(event: SmtpEvent): Reply | undefined {
    switch (event.type) {
      case 'mail':
        this.#lines = [`from ${event.path}`];
        return undefined;
      case 'recipient':
        if (event.path.startsWith('unknown')) return reply(550, '5.1.1', 'No such user here');
        this.#lines.push(`to ${event.path}`);
        return undefined;
      case 'chunk':
        this.#lines.push(event.bytes.toString());
        return undefined;
      case 'message':
        if (event.fault) return undefined;
        this.messages.push(this.#lines.join('|'));
        return this.#taken();
      case 'authenticate':
        return 'password' in event.claim && event.claim.password === 'pass'
          ? reply(235, '2.7.0', 'Welcome')
          : undefined;
      default:
        return undefined;
    }
  }

  /** Of LMTP each recipient has an answer; `full` has no room. */
  #taken(): Reply {
    const taken = reply(250, '2.0.0', 'Taken');
    const each = this.#lines
      .filter((line) => line.startsWith('to '))
      .map((line) => (line.startsWith('to full') ? reply(452, '4.2.2', 'Mailbox full') : taken));
    return { ...taken, each };
  }

  closed(): void {}
}

/** Says it all at once and gives what came back. */
function talk(options: SmtpSessionOptions, text: string | Buffer) {
  const session = new SmtpSession(options);
  const sink = new Sink();
  session.receive(Buffer.from(text));
  for (let event = session.next(); event; event = session.next()) session.reply(sink.handle(event));
  const said = session.output()?.toString() ?? '';
  return { said, lines: said.split('\r\n').slice(0, -1), messages: sink.messages, session };
}

describe('SmtpSession transcripts', () => {
  for (const [folder, options] of [
    ['outside', outside],
    ['submission', submission],
    ['lmtp', { ...outside, lmtp: true }],
  ] as const)
    for (const transcript of readTranscripts(new URL(`./transcripts/${folder}`, import.meta.url)))
      test(`${transcript.title}`, () =>
        playEveryWay(transcript, () => () => ({
          machine: new SmtpSession(options),
          application: new Sink(),
        })));
});

const letter = 'MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n';

describe('SmtpSession', () => {
  test('P1: hands out the message as it was, dot-stuffing undone', () => {
    const { messages } = talk(outside, `HELO c\r\n${letter}a\r\n\r\n..b\r\n.\r\nQUIT\r\n`);
    expect(messages).toEqual(['from a@example.com|to b@example.net|a\r\n\r\n.b\r\n']);
  });

  test('not-2: gives each message its own envelope', () => {
    const second = letter.replaceAll('a@', 'c@').replaceAll('b@', 'd@');
    const { messages } = talk(outside, `HELO c\r\n${letter}1\r\n.\r\n${second}2\r\n.\r\n`);
    expect(messages).toEqual([
      'from a@example.com|to b@example.net|1\r\n',
      'from c@example.com|to d@example.net|2\r\n',
    ]);
  });

  test('P6: VRFY answers 252 the same for everybody', () => {
    const { lines } = talk(outside, 'VRFY b\r\nVRFY unknown@example.net\r\n');
    expect(lines[1]).toMatch(/^252 /);
    expect(lines[2]).toBe(lines[1]);
  });

  test('M4: every reply but greeting, hello, 334 and 354 carries an enhanced code', () => {
    const wire = `HELO c\r\nEHLO c\r\n${letter}x\r\n.\r\nFOO\r\nVRFY x\r\nHELP\r\nRSET\r\nDATA\r\nBDAT 0\r\nAUTH X\r\nSTARTTLS x\r\nQUIT\r\n`;
    const { lines } = talk(outside, wire);
    const plain = lines.filter((line) => !/^\d{3}[ -][245]\.\d+\.\d+ /.test(line) && !line.startsWith('354'));
    expect(
      plain.every(
        (line) => line.startsWith('220 ') || line.startsWith('250-') || /^250 (mx|STARTTLS)/.test(line),
      ),
    ).toBe(true);
    expect(lines.length).toBeGreaterThan(20);
  });

  test('normalizes bare newlines from submission, so that what was smuggled is text', () => {
    const { messages } = talk(submission, `HELO c\r\n${letter}a\n.\nb\r\n.\r\n`);
    expect(messages).toEqual(['from a@example.com|to b@example.net|a\r\n.\r\nb\r\n']);
  });

  test('P4: refuses a message beyond the size limit while it streams, and ends a client that goes on and on', () => {
    const body = `${'x'.repeat(98)}\r\n`;
    expect(talk(outside, `HELO c\r\n${letter}${body.repeat(11)}.\r\n`).lines.at(-1)).toMatch(/^552 5\.3\.4 /);
    const { lines, session } = talk(outside, `HELO c\r\n${letter}${body.repeat(50)}`);
    expect(lines.at(-1)).toMatch(/^552 5\.3\.4 /);
    expect(session.ended).toBe(true);
  });

  test('takes so many recipients and gives the rest 452', () => {
    const { lines } = talk(outside, `HELO c\r\nMAIL FROM:<>\r\n${'RCPT TO:<b@c>\r\n'.repeat(5)}`);
    expect(lines.slice(-3).map((line) => line.slice(0, 9))).toEqual(['250 2.1.5', '452 4.5.3', '452 4.5.3']);
  });

  test('ends a session of too many commands, which an accepted message starts anew', () => {
    const { lines, session } = talk(outside, `HELO c\r\n${letter}x\r\n.\r\n${'NOOP\r\n'.repeat(501)}`);
    expect(session.ended).toBe(true);
    expect(lines.at(-1)).toMatch(/^421 4\.7\.0 /);
    expect(lines.filter((line) => line.startsWith('250 2.0.0 OK'))).toHaveLength(500);
  });

  test('ends a session of too many errors', () => {
    const { lines, session } = talk(outside, 'FOO\r\n'.repeat(200));
    expect(session.ended).toBe(true);
    expect(lines).toHaveLength(102);
  });

  test('refuses a long line and goes on', () => {
    const { lines } = talk(outside, `NOOP ${'x'.repeat(3000)}\r\nNOOP\r\n`);
    expect(lines[1]).toMatch(/^500 5\.5\.2 /);
    expect(lines[2]).toMatch(/^250 2\.0\.0 /);
  });

  test('keeps nothing of an endless line, and ends the session', () => {
    const session = new SmtpSession(outside);
    const chunk = Buffer.alloc(65_536, 'x');
    session.reply(session.next() ? undefined : undefined);
    for (let sent = 0; sent <= maxSkippedBytes + chunk.length && !session.ended; sent += chunk.length) {
      session.receive(chunk);
      expect(session.next()).toBeUndefined();
    }
    expect(session.ended).toBe(true);
    expect(session.output()?.toString()).toMatch(/421 4\.7\.0 Line without end/);
  });

  test('masks secrets in the dialogue', () => {
    const { session } = talk(
      { ...submission, tls: { version: 'TLSv1.3', cipher: 'x' } },
      'EHLO c\r\nAUTH PLAIN AHVzZXIAcGFzcw==\r\nNOOP\r\n',
    );
    const text = session.dialogue
      .excerpt()
      .lines.map(([, line]) => line)
      .join('\n');
    expect(text).toContain('C: AUTH PLAIN ***');
    expect(text).not.toContain('AHVzZXIAcGFzcw');
    const login = talk(
      { ...submission, tls: { version: 'TLSv1.3', cipher: 'x' } },
      'EHLO c\r\nAUTH LOGIN\r\ndXNlcg==\r\ncGFzcw==\r\n',
    );
    expect(JSON.stringify(login.session.dialogue.excerpt().lines)).not.toMatch(/cGFzcw|dXNlcg/);
  });

  test('masks what follows an AUTH that was refused', () => {
    const { session } = talk(outside, 'EHLO c\r\nAUTH LOGIN\r\ndXNlcg==\r\ncGFzcw==\r\nNOOP\r\nFOO\r\n');
    const text = JSON.stringify(session.dialogue.excerpt().lines);
    expect(text).not.toMatch(/cGFzcw|dXNlcg/);
    expect(text).toContain('C: FOO');
  });

  test('does not read a chunk that is far too large, wanted or not', () => {
    const { lines, session } = talk(outside, 'HELO c\r\nBDAT 999999999999999\r\n');
    expect(lines.at(-1)).toMatch(/^552 5\.3\.4 /);
    expect(session.ended).toBe(true);
  });

  test('yields nothing new until the last event is answered', () => {
    const session = new SmtpSession(outside);
    session.receive(Buffer.from('HELO c\r\n'));
    expect(session.next()).toEqual({ type: 'connect' });
    expect(session.next()).toBeUndefined();
    session.reply(undefined);
    expect(session.next()).toMatchObject({ type: 'hello' });
  });

  test('answers or ends, and never throws, whatever the octets', () => {
    const word = fc.oneof(
      fc.constantFrom(
        'HELO c',
        'EHLO c',
        'MAIL FROM:<a@b>',
        'RCPT TO:<a@b>',
        'DATA',
        '.',
        'BDAT 3',
        'BDAT 2 LAST',
        'AUTH PLAIN',
        '*',
        'RSET',
        'STARTTLS',
        '\n',
        '\r',
      ),
      fc.string({ maxLength: 20 }),
      fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 30 }), (words) => {
        const { said } = talk(submission, Buffer.from(words.join('\r\n'), 'latin1'));
        expect(said).toMatch(/^220 /);
      }),
      { numRuns: 500 },
    );
  });
});

test('a session is midway from the first recipient that is taken to the end of the message', () => {
  const session = new SmtpSession(outside);
  const say = (line: string, answer?: Reply) => {
    session.receive(Buffer.from(`${line}\r\n`));
    while (session.next() !== undefined) session.reply(answer);
    return session.midway;
  };
  expect(say('EHLO c.example')).toBe(false);
  expect(say('MAIL FROM:<a@example.com>')).toBe(false);
  expect(say('RCPT TO:<nobody@example.net>', reply(550, '5.1.1', 'No such user here'))).toBe(false);
  expect(say('RCPT TO:<bob@example.net>')).toBe(true);
  expect(say('RSET')).toBe(false);
});

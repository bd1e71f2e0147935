import { describe, expect, test } from 'vitest';
import type { Application, Machine } from '../net/machine.ts';
import { playEveryWay, playTranscript, type Serve } from './transcript.ts';
import { matches, parseTranscript } from './transcript-format.ts';

/** A protocol for tests: answers each line by `you said …`, wants TLS at `tls`, ends at `bye`. */
class Echo implements Machine<string, string> {
  tlsWanted = false;
  readonly midway = false;
  ended = false;
  #input = '';
  #output = 'hello\r\n';

  receive(bytes: Buffer): void {
    if (!this.tlsWanted) this.#input += bytes.toString('latin1');
  }
  next(): string | undefined {
    if (this.ended || this.tlsWanted) return undefined;
    const [line, ...rest] = this.#input.split('\n');
    if (line === undefined || rest.length === 0) return undefined;
    this.#input = rest.join('\n');
    return line.trimEnd();
  }
  reply(answer: string): void {
    this.#output += `${answer}\r\n`;
    this.tlsWanted = answer === 'you said tls';
    this.ended = answer === 'you said bye';
  }
  output(): Buffer | undefined {
    const output = this.#output;
    this.#output = '';
    return output === '' ? undefined : Buffer.from(output, 'latin1');
  }
  tlsStarted(): void {
    this.tlsWanted = false;
    this.#input = '';
  }
  end(why: string): void {
    this.#output += `${why}\r\n`;
    this.ended = true;
  }
}

const closed: number[] = [];
const start = (): Serve<string, string> => (connection) => {
  const application: Application<string, string> = {
    handle: async (line) => `you said ${line}`,
    closed: () => closed.push(connection),
  };
  return { machine: new Echo(), application };
};

const play = (text: string): Promise<void> => playTranscript(parseTranscript(text), start());
const lines = (...all: string[]): string => all.join('\n');

describe('parseTranscript()', () => {
  test('takes the first comment as title and joins what one client sends', () => {
    const { title, actions } = parseTranscript(
      lines('# a claim', '', 'C: a', 'C> b\\x00\\\\n', '2C: c', '# more'),
    );
    expect(title).toBe('a claim');
    expect(actions).toEqual([
      { line: 3, connection: 1, kind: 'send', bytes: Buffer.from('a\r\nb\0\\n') },
      { line: 5, connection: 2, kind: 'send', bytes: Buffer.from('c\r\n') },
    ]);
  });

  test('names the line that is wrong', () => {
    expect(() => parseTranscript('C: a\nD: b')).toThrow('line 2');
    expect(() => parseTranscript('== TSL')).toThrow('line 1');
  });
});

describe('matches()', () => {
  test.each([
    ['+OK', '+OK', true],
    ['+OK', '+OK ', false],
    ['+OK …', '+OK ', true],
    ['…', '', true],
    ['a…b…c', 'a-b-c', true],
    ['a…b…c', 'a-c-b', false],
    ['ab…bc', 'abc', false],
    ['a…a…a', 'aa', false],
    ['. (.*)', '. anything', false],
  ])('%s ~ %s: %s', (pattern, line, result) => {
    expect(matches(pattern, line)).toBe(result);
  });
});

describe('playTranscript()', () => {
  test('plays two connections, TLS, pipelining and a close', async () => {
    const text = lines(
      '1S: hello',
      '2S: hello',
      '1C: one',
      '1C: two',
      '2C> th',
      '2C> ree\\n',
      '1S: you said one',
      '1S: you said …',
      '2S: you said three',
      '2C: tls',
      '2C: injected',
      '2S: you said tls',
      '2== TLS',
      '2C: bye',
      '2S: …bye',
      '2== closed',
      '1== shutdown',
      '1S: shutdown',
      '1== closed',
    );
    closed.length = 0;
    await playTranscript(parseTranscript(text), start());
    expect(closed).toEqual([2, 1]);
  });

  test('takes as many lines as are alike, and one at least', async () => {
    await play('S: hello\nC: a\nC: b\nC: bye\nS*: you said …\n== closed');
    await expect(play('S: hello\nC: a\nS*: I said …')).rejects.toThrow('received  S: you said a');
  });

  test('closes every application once, also when the dialogue goes wrong', async () => {
    closed.length = 0;
    await expect(play('S: hello\nC: a\nS: b')).rejects.toThrow();
    expect(closed).toEqual([1]);
  });

  test('shows the line, what was expected, what came and what went before', async () => {
    const failure = playTranscript(parseTranscript('# a claim\nS: hello\nC: a\nS: you said b'), start());
    await expect(failure).rejects.toThrow(
      lines(
        'a claim: line 4 (played whole)',
        '  expected  S: you said b',
        '  received  S: you said a',
        'after:',
        '  1S: hello',
        '  1C: a',
      ),
    );
  });

  test.each([
    ['a line that is not expected', 'S: hello\nC: a\nC: b\nS: you said a\nC: c', 'expected  silence'],
    ['a last line that is not expected', 'S: hello\nC: a', 'at the end'],
    ['a line that does not come', 'S: hello\nS: more', 'received  nothing'],
    ['a server that goes on', 'S: hello\n== closed', 'the server goes on'],
    ['TLS that is not wanted', 'S: hello\n== TLS', 'does not want TLS'],
  ])('refuses %s', async (_claim, text, message) => {
    await expect(playTranscript(parseTranscript(text), start())).rejects.toThrow(message);
  });
});

describe('playEveryWay()', () => {
  test('starts a server for each way: whole, bytes, and every cut', async () => {
    let started = 0;
    await playEveryWay(parseTranscript('S: hello\nC: four\nS: you said four'), () => {
      started++;
      return start();
    });
    expect(started).toBe(2 + 'four\r\n'.length - 1);
  });
});

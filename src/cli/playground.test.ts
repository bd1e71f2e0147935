import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { type PlaygroundOptions, runPlayground } from './playground.ts';
import type { Terminal } from './terminal.ts';

/** A terminal that keeps what it was shown; when it is shown `ctrlCAt`, somebody presses Ctrl-C. */
class Screen {
  text = '';
  readonly terminal: Terminal;

  constructor({ isTty = false, ctrlCAt = '\0' }: { isTty?: boolean; ctrlCAt?: string } = {}) {
    const controller = new AbortController();
    const show = (text: string) => {
      this.text += text;
      if (this.text.includes(ctrlCAt)) controller.abort();
    };
    this.terminal = {
      env: {},
      cwd: '/',
      outIsTty: isTty,
      inIsTty: false,
      out: show,
      err: show,
      readInput: async () => Buffer.alloc(0),
      askSecret: async () => '',
      stopSignal: () => controller.signal,
      onSignal: () => () => undefined,
    };
  }
}

/** On free ports: tests take none that they name. */
function play({ terminal }: Screen, options: Partial<PlaygroundOptions> = {}): Promise<number> {
  return runPlayground({ once: true, terminal, ports: { com: {}, net: {} }, ...options });
}

describe('runPlayground() with once', () => {
  const screen = new Screen();
  let exitCode = -1;
  beforeAll(async () => {
    exitCode = await play(screen);
  });

  test('ends well when the letter has arrived', () => {
    expect(exitCode).toBe(0);
    expect(screen.text).toMatch(/Did it hit the Spam folder\? No: it is in the inbox, \d+ ms/);
  });

  test('P9: the letter travels under TLS to a host whose certificate was verified', () => {
    expect(screen.text).toContain('C: STARTTLS');
    expect(screen.text).toMatch(
      /Spoke with mx\.example\.net .*\n +encrypted: TLSv1\.3, \S+; certificate: verified/,
    );
  });

  test('P10: the letter is read by POP3 over TLS', () => {
    expect(screen.text).toMatch(
      /by POP3 from mx\.example\.net, port \d+,\nencrypted: TLSv1\.3, \S+; certificate: verified/,
    );
    expect(screen.text).toMatch(/C: RETR 1\n.*S: \+OK \d+ octets/);
  });

  test('P11: SPF, DKIM and DMARC records are looked up and the letter passes all three', () => {
    const [, results = ''] = /^ {4}(Authentication-Results: .*\n(?: {4}\t.*\n)+)/m.exec(screen.text) ?? [];
    expect(results).toMatch(/^Authentication-Results: mx\.example\.net;/);
    expect(results).toContain('spf=pass smtp.mailfrom=example.com');
    expect(results).toContain('dkim=pass header.d=example.com');
    expect(results).toContain('dmarc=pass (p=reject) header.from=example.com');
  });

  test('P14: the dialogues of submission, delivery and receipt can be read', () => {
    expect(screen.text.match(/C: MAIL FROM:<sender@example\.com>/g)).toHaveLength(3);
    expect(screen.text.match(/S: 250 2\.0\.0 Queued as /g)).toHaveLength(3);
  });

  test('writes no colour codes where nobody looks, and no secrets of dialogues', () => {
    expect(screen.text).not.toContain('\x1b');
    expect(screen.text).toContain('C: AUTH PLAIN ***');
    expect(screen.text).toContain('C: PASS ***');
  });
});

test('runPlayground() stays up with things to try until Ctrl-C, and removes all it made', async () => {
  const screen = new Screen({ isTty: true, ctrlCAt: 'To end: Ctrl-C' });
  expect(await play(screen, { once: false })).toBe(0);
  for (const tool of [
    'swaks -s',
    'bin/posthorn trace',
    'curl --cacert',
    'mpop --quiet',
    'openssl s_client',
  ]) {
    expect(screen.text).toContain(tool);
  }
  expect(screen.text).toContain('\x1b[1m');
  const [, directory = ''] = /It removes (\S+)/.exec(screen.text) ?? [];
  expect(directory).toMatch(/posthorn-/);
  expect(existsSync(directory)).toBe(false);
});

test('runPlayground() stops at Ctrl-C also in the middle of the tour', async () => {
  const screen = new Screen({ ctrlCAt: '1. The stage' });
  expect(await play(screen, { once: false })).toBe(0);
  expect(screen.text).not.toContain('Your turn');
  expect(await play(new Screen({ ctrlCAt: '1. The stage' }), { once: true })).toBe(75);
});

test.each([
  ['nobody listens', { 'mx.example.net': { A: ['127.0.0.99'] } }, /ECONNREFUSED.*would try again later/],
  ['a null MX', { 'example.net': { MX: [[0, '']] } }, /accepts no mail \(null MX\)/],
  ['no SPF and no key', { 'example.com': {}, 'posthorn._domainkey.example.com': {} }, /550 5\.7\.1/],
] as const)('runPlayground() says why the letter did not arrive: %s', async (_, dns, reason) => {
  const screen = new Screen();
  await expect(play(screen, { dns })).rejects.toMatchObject({
    name: 'CommandError',
    exitCode: 1,
    message: expect.stringMatching(reason),
  });
  expect(screen.text).toContain('What the sending server did');
});

test('bin/posthorn playground ends cleanly at SIGINT', async () => {
  const program = fileURLToPath(new URL('../../bin/posthorn', import.meta.url));
  const child = spawn(program, ['playground'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stderr.on('data', (bytes) => (err += bytes));
  child.stdout.on('data', (bytes) => {
    const before = out;
    out += bytes;
    if (!before.includes('To end') && out.includes('To end')) child.kill('SIGINT');
  });
  const ended = await once(child, 'close');
  expect(err).toBe('');
  expect(ended).toEqual([0, null]);
  expect(out).toMatch(/Both servers are stopped\.\n$/);
}, 60_000);

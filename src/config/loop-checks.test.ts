import { parse } from 'smol-toml';
import { describe, expect, test } from 'vitest';
import { readDraft } from './draft.ts';
import { checkLoops } from './loop-checks.ts';
import { formatKey } from './problem.ts';

const machine = ['127.0.0.1', '::1', '192.0.2.1', '2001:db8::1'];

/** The keys that lead back, of a server with one listener. */
const loops = (listener: string, toml: string): string[] =>
  checkLoops(
    readDraft(
      parse(`hostname = "mx.example.com"\n[[listener]]\nprotocol = "smtp"\n${listener}\n${toml}`),
      '/',
    ),
    machine,
  ).map(({ path }) => formatKey(path));

const to = (host: string, ...lines: string[]) =>
  ['[[transport]]', 'domains = ["*"]', 'protocol = "smtp"', `host = "${host}"`, ...lines].join('\n');

describe('checkLoops()', () => {
  test.each([
    ['an address of this machine', '', '192.0.2.1'],
    ['an IPv6 address of this machine', '', '2001:db8::1'],
    ['loopback', '', '127.0.0.5'],
    ['loopback by name', '', 'localhost'],
    ['our own name', '', 'mx.example.com'],
    ['an IPv4 address of this machine', 'address = "0.0.0.0"', '192.0.2.1'],
    ['the address of the listener', 'address = "192.0.2.7"', '192.0.2.7'],
    ['a listener on loopback, by name', 'address = "127.0.0.1"', 'localhost'],
  ])('a transport to %s', (_, listener, host) => {
    expect(loops(listener, to(host))).toEqual(['transport[1].host']);
  });

  test.each([
    ['another server', '', to('192.0.2.9')],
    ['another port here', '', to('127.0.0.1', 'port = 2525')],
    ['our own name at a port that is not that of mail', 'port = 2525', to('mx.example.com', 'port = 2525')],
    ['an address where nothing of ours listens', 'address = "192.0.2.1"', to('127.0.0.1')],
    ['an IPv6 address, with a listener on IPv4 only', 'address = "0.0.0.0"', to('::1')],
    ['a port that cannot be read', '', to('127.0.0.1', 'port = "25"')],
    ['a port that the system chooses', 'port = 0', to('127.0.0.1')],
  ])('no transport to %s', (_, listener, toml) => {
    expect(loops(listener, toml)).toEqual([]);
  });

  test('a relay host', () => {
    expect(loops('', '[delivery]\nrelayHost = "[::1]:25"')).toEqual(['delivery.relayHost']);
    expect(loops('', '[delivery]\nrelayHost = "[::1]:26"')).toEqual([]);
  });
});

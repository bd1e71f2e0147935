import { parse } from 'smol-toml';
import { describe, expect, test } from 'vitest';
import { locateKeys } from './locate.ts';

const document = `# a comment = "no key"
hostname = "mx.example.com" # [not.a.table]
resolver = [
  "127.0.0.1:5300", # one
  "[::1]:53"
]
a.b."c d" = 1

[[listener]]
protocol = "smtp"

[[listener]]
protocol = 'pop3'
port = 0x70

[[domain]]
name = """
example.com = [trap] ""\\""""
dkim = { selector = "a]}#", key = 'C:\\' }

[[domain]]
name = "example.net"
[domain.dkim]
selector = "x"

[relay]
trustedNetworks = [["a", "b"], [], [1,
2]]
`;

describe('locateKeys()', () => {
  const lineOf = locateKeys(document);

  test.each([
    [['hostname'], 2],
    [['resolver'], 3],
    [['resolver', 0], 4],
    [['resolver', 1], 5],
    [['a', 'b', 'c d'], 7],
    [['listener', 0], 9],
    [['listener', 0, 'protocol'], 10],
    [['listener', 1], 12],
    [['listener', 1, 'protocol'], 13],
    [['listener', 1, 'port'], 14],
    [['domain', 0, 'name'], 17],
    [['domain', 0, 'dkim'], 19],
    [['domain', 0, 'dkim', 'key'], 19],
    [['domain', 1], 21],
    [['domain', 1, 'name'], 22],
    [['domain', 1, 'dkim'], 23],
    [['domain', 1, 'dkim', 'selector'], 24],
    [['relay', 'trustedNetworks', 2, 1], 28],
  ])('locateKeys() finds %j in line %i', (path, line) => {
    expect(lineOf(path)).toBe(line);
  });

  test('locateKeys() answers with the table for a key that is missing', () => {
    expect(lineOf(['listener', 1, 'address'])).toBe(12);
    expect(lineOf(['tls', 'cert'])).toBe(1);
  });

  test('the document of this test is TOML', () => {
    expect(parse(document)).toHaveProperty('domain');
  });
});

import { describe, expect, test } from 'vitest';
import { parseConfig } from './load.ts';

const parse = (filters: string) =>
  parseConfig(`hostname = "mx.example.com"\n${filters}`, '/etc/posthorn/posthorn.toml', {
    checkFiles: false,
  });

describe('[[filter]]', () => {
  test('has defaults for each kind', async () => {
    const { filters } = await parse(`
[[filter]]
kind = "rspamd"

[[filter]]
kind = "clamd"
socket = "/run/clamd"
maxBytes = 2048
whenDown = "defer"
submission = true

[[filter]]
kind = "milter"
name = "opendkim"
port = 8891
timeoutSeconds = 5
`);
    expect(filters).toEqual([
      {
        name: 'rspamd',
        kind: 'rspamd',
        place: { host: '127.0.0.1', port: 11333 },
        times: { stageMs: 30_000, totalMs: 120_000 },
        maxBytes: 50 * 2 ** 20,
        whenDown: 'accept',
        submission: false,
      },
      {
        name: 'clamd',
        kind: 'clamd',
        place: { socket: '/run/clamd' },
        times: { stageMs: 30_000, totalMs: 120_000 },
        maxBytes: 2048,
        whenDown: 'defer',
        submission: true,
      },
      {
        name: 'opendkim',
        kind: 'milter',
        place: { host: '127.0.0.1', port: 8891 },
        times: { stageMs: 5000, totalMs: 120_000 },
        maxBytes: 50 * 2 ** 20,
        whenDown: 'accept',
        submission: false,
      },
    ]);
  });

  test.each([
    ['kind = "milter"', 'nobody knows where this milter listens'],
    ['kind = "clamd"\nsocket = "/x"\nport = 1', 'there is a host or a port already'],
    ['kind = "rspamd"\n[[filter]]\nkind = "rspamd"', 'two filters are called "rspamd"'],
    ['kind = "spamd"', '"spamd" is not one of "milter", "rspamd", "clamd"'],
    ['kind = "rspamd"\nname = "a b"', '"a b" is not a name'],
    ['kind = "rspamd"\nurl = "x"', 'url'],
  ])('%j is an error', async (toml, problem) => {
    await expect(parse(`[[filter]]\n${toml}`)).rejects.toThrow(problem);
  });
});

import { expect, test } from 'vitest';
import { sendsByMx, type TransportConfig } from './transport.ts';

const by = (protocol: 'smtp' | 'mx', domains: string[], senders?: string[]): TransportConfig => ({
  domains,
  // Nothing else of it matters here.
  way: { protocol } as unknown as TransportConfig['way'],
  ...(senders && { senders }),
});

test.each([
  ['nothing is configured', [], true],
  ['a relay takes everything', [by('smtp', ['*'])], false],
  ['it does so for one sender', [by('smtp', ['*'], ['a.example'])], true],
  ['a relay takes one domain', [by('smtp', ['a.example'])], true],
  ['one domain goes by MX all the same', [by('mx', ['a.example']), by('smtp', ['*'])], true],
] as const)('sendsByMx() where %s', (_, transports, expected) => {
  expect(sendsByMx(transports)).toBe(expected);
});

import { expect, test } from 'vitest';
import { completeTransport, type TransportInput } from '../../config/transport.ts';
import { transportNames } from './transports.ts';

/** The names of transports for a.example, b.example and so on. */
function names(...ways: Omit<TransportInput, 'domains'>[]): (string | undefined)[] {
  const domains = ways.map((_, index) => `${'abc'[index]}.example`);
  const configs = ways.map((way, index) => completeTransport({ ...way, domains: [domains[index] ?? ''] }));
  const { find } = transportNames(configs);
  return domains.map((domain) => find(domain, { reversePath: '' })?.transport.name);
}

test('transportNames() tells apart what differs in TLS alone: what shares a name shares a connection', () => {
  const relay = { protocol: 'smtp', host: 'relay.example' } as const;
  expect(names(relay, { ...relay, tls: 'verified' }, relay)).toEqual([
    'relay smtp relay.example:25',
    'relay smtp relay.example:25 (2)',
    'relay smtp relay.example:25',
  ]);
});

test('transportNames() tells apart what differs in the words of a command', () => {
  const [one, other] = [
    ['/bin/deliver', '-a'],
    ['/bin/deliver', '-b'],
  ].map((command) => ({ command }));
  expect(names({ protocol: 'pipe', ...one }, { protocol: 'pipe', ...other })).toEqual([
    'pipe /bin/deliver',
    'pipe /bin/deliver (2)',
  ]);
});

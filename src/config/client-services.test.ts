import { expect, test } from 'vitest';
import { clientServices } from './client-services.ts';
import type { ListenerConfig, Protocol } from './listeners.ts';

const listener = (protocol: Protocol, port: number, more: Partial<ListenerConfig> = {}): ListenerConfig => ({
  ...{ protocol, address: '::', port, allowPlaintextAuth: false, bareNewline: 'reject', proxied: false },
  ...more,
});
const told = (...listeners: ListenerConfig[]) =>
  clientServices({ hostname: 'mx.example.com', listeners }).map(
    ({ protocol, does, port, encryption }) => `${does} ${protocol} ${port} ${encryption}`,
  );

test('clientServices() tells what listens, TLS from the first octet first', () => {
  expect(
    told(
      listener('pop3', 110),
      listener('smtp', 25),
      listener('submission', 587),
      listener('pop3s', 995),
      listener('submissions', 2465),
    ),
  ).toEqual([
    'send submissions 2465 tls',
    'send submission 587 starttls',
    'fetch pop3s 995 tls',
    'fetch pop3 110 starttls',
  ]);
});

test('clientServices() tells of nothing that only this machine reaches', () => {
  const address = '127.0.0.1';
  expect(
    told(
      listener('submissions', 4650, { address }),
      listener('submissions', 465),
      listener('pop3s', 9950, { address }),
    ),
  ).toEqual(['send submissions 465 tls']);
});

test('clientServices() leads nobody to where a password may cross in clear text', () => {
  expect(told(listener('pop3', 110, { address: '127.0.0.1', allowPlaintextAuth: true }))).toEqual([]);
});

import { expect, test } from 'vitest';
import type { Config } from '../config/config.ts';
import type { ListenerConfig } from '../config/listeners.ts';
import { examineSettings } from './settings.ts';

const listener = (changes: Partial<ListenerConfig>): ListenerConfig => ({
  protocol: 'submissions',
  address: '::',
  port: 465,
  allowPlaintextAuth: false,
  bareNewline: 'normalize',
  proxied: false,
  ...changes,
});

interface Settings {
  listeners?: ListenerConfig[];
  trustedNetworks?: string[];
  dkim?: { selector: string; key: string }[];
}

function ids({ listeners = [listener({})], trustedNetworks = [], dkim = [key] }: Settings) {
  // Of a configuration, this is all that is looked at.
  const config = {
    file: 'posthorn.toml',
    listeners,
    relay: { trustedNetworks },
    domains: [{ name: 'example.com', dkim }],
  } as unknown as Config;
  return examineSettings(config).map(({ id, severity }) => id ?? severity);
}

const key = { selector: 'posthorn', key: 'dkim.pem' };

test.each<[string, Settings]>([
  ['good', {}],
  ['good', { trustedNetworks: ['10.0.0.0/8', '192.0.2.0/24', '2001:db8::/32', '192.0.2.1'] }],
  ['relay-trusts-all', { trustedNetworks: ['128.0.0.0/2'] }],
  ['relay-trusts-all', { trustedNetworks: ['2000::/3'] }],
  ['config-no-submission', { listeners: [listener({ protocol: 'smtp' })] }],
  ['good', { listeners: [listener({ protocol: 'smtp' })], trustedNetworks: ['192.0.2.0/24'] }],
  [
    'config-plaintext-login',
    { listeners: [listener({}), listener({ protocol: 'pop3', allowPlaintextAuth: true })] },
  ],
  ['good', { listeners: [listener({}), listener({ address: '127.0.0.1', allowPlaintextAuth: true })] }],
  ['dkim-no-key', { dkim: [] }],
])('P12: a configuration is %s: %j', (id, settings) => {
  expect(ids(settings)).toEqual([id]);
});

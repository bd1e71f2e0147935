import { expect, test } from 'vitest';
import { effectiveSettings, formatSettings, formatValue } from './effective.ts';

const raw = {
  hostname: 'MX.example.com',
  limits: { recipients: 5 },
  listener: [{ protocol: 'smtp' }, { protocol: 'pop3s', port: 1995 }],
};
const content = {
  hostname: 'mx.example.com',
  dataDir: '/data',
  limits: { recipients: 5, commands: 100 },
  listener: [
    { protocol: 'smtp', port: 25 },
    { protocol: 'pop3s', port: 1995 },
  ],
  dossier: { enabled: true },
};

test('effectiveSettings() has what the file says as it says it, and every default', () => {
  const settings = effectiveSettings(raw, content).map(({ path, value, isDefault }) => [
    path.join('.'),
    value,
    isDefault,
  ]);
  expect(settings).toEqual([
    ['hostname', 'MX.example.com', false],
    ['limits.recipients', 5, false],
    ['limits.commands', 100, true],
    ['listener.0.protocol', 'smtp', false],
    ['listener.0.port', 25, true],
    ['listener.1.protocol', 'pop3s', false],
    ['listener.1.port', 1995, false],
    ['dataDir', '/data', true],
    ['dossier.enabled', true, true],
  ]);
});

test('formatSettings() marks the defaults', () => {
  expect(formatSettings(effectiveSettings(raw, content))).toBe(`hostname = "MX.example.com"
dataDir = "/data"            # default

[limits]
recipients = 5
commands = 100  # default

[[listener]]  # 1
protocol = "smtp"
port = 25          # default

[[listener]]  # 2
protocol = "pop3s"
port = 1995

[dossier]
enabled = true  # default
`);
});

test.each([
  ['a "b"', '"a \\"b\\""'],
  [[1, 2], '[1, 2]'],
  [{ file: '/x' }, '{ file = "/x" }'],
  [[{ when: 'spf:fail' }], '[{ when = "spf:fail" }]'],
  [true, 'true'],
])('formatValue(%j) is %s', (value, text) => {
  expect(formatValue(value)).toBe(text);
});

import { parse } from 'smol-toml';
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { allKeys, explainKey } from './explain.ts';
import { toFindings } from './issues.ts';
import { formatKey } from './problem.ts';
import { fileSchema } from './schema.ts';

/** `key: what | remedy`, one per finding, in their order. */
function findingsIn(toml: string): string[] {
  const { issues = [] } = v.safeParse(
    fileSchema('/etc/posthorn'),
    parse(`hostname = "mx.example.com"\n${toml}`),
  );
  return toFindings(issues).map(({ path, what, remedy }) => `${formatKey(path)}: ${what} | ${remedy}`);
}

const unknown = (findings: readonly string[]) =>
  findings.filter((text) => text.includes(': there is no such key |')).map((text) => text.split(': ')[0]);

test('toFindings() tells all that is wrong in a table at once, the keys that are not known last', () => {
  const table =
    '{ clientID = "a", clientSecret = "b", url = "https://a.example", clientSecretFile = 5, days = 1 }';
  const oauth = `[oauth]\nissuer = "https://a.example"\naudience = "a"\nintrospection = ${table}`;
  expect(findingsIn(oauth)).toEqual([
    expect.stringMatching(/^oauth\.introspection\.clientId: is missing \| /),
    expect.stringMatching(/^oauth\.introspection\.clientSecretFile: 5 is not where a secret is \| /),
    'oauth.introspection.clientID: there is no such key | Did you mean clientId?',
    'oauth.introspection.clientSecret: there is no such key | Secrets do not stand in this file: clientSecretFile names the one that holds it.',
    'oauth.introspection.days: there is no such key | It belongs in [dossier].',
  ]);
});

test('toFindings() tells what is wrong in tables within lists and within tables, each at its place', () => {
  const domain = '[[domain]]\nname = "a.example"\n[[domain]]\nnam = 1\ndkim = { selectr = 1, key = "k" }';
  expect(findingsIn(`${domain}\n[limits]\nsessions = 0\nsession = 1\nbyte = 1`)).toEqual([
    expect.stringMatching(/^domain\[2\]\.name: is missing \| /),
    expect.stringMatching(/^domain\[2\]\.dkim\.selector: is missing \| /),
    'domain[2].dkim.selectr: there is no such key | Did you mean selector?',
    'domain[2].nam: there is no such key | Did you mean name?',
    expect.stringMatching(/^limits\.sessions: 0 is not a number of sessions from 1 to 100000 \| /),
    'limits.session: there is no such key | Did you mean sessions?',
    expect.stringMatching(/^limits\.byte: there is no such key \| Remove it\. Known here: messageBytes, /),
  ]);
});

const inherited = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'];

test('toFindings() knows no key that is only the name of something in JavaScript', () => {
  const lines = inherited.map((key) => `${key} = 1`).join('\n');
  expect(unknown(findingsIn(lines))).toEqual(inherited);
  for (const table of ['relay', 'delivery', 'limits', 'dossier'])
    expect(unknown(findingsIn(`[${table}]\n${lines}`))).toEqual(inherited.map((key) => `${table}.${key}`));
});

test('a table named __proto__ gives its keys to nobody', () => {
  const tables =
    '[__proto__]\nport = 1\n[constructor.prototype]\nport = 1\n[oauth.__proto__]\nissuer = "a"\naudience = "b"';
  const findings = findingsIn(tables);
  expect(unknown(findings)).toEqual(['oauth.__proto__', '__proto__', 'constructor']);
  expect(findings.filter((text) => text.includes('is missing'))).toHaveLength(2);
});

test('toFindings() quotes a table whatever its keys are named', () => {
  expect(findingsIn('listener = { constructor = { name = { toString = 1 } } }')).toEqual([
    'listener: a table is not a list | Write it as [[listener]], with its keys on the lines below.',
  ]);
});

test.each([
  ['relay = []', 'relay: a list is not a table | Write it as [relay], with its keys on the lines below.'],
  [
    'relay = 1979-05-27',
    'relay: 1979-05-27 is not a table | Write it as [relay], with its keys on the lines below.',
  ],
  ['relay = 5', 'relay: 5 is not a table | Write it as [relay], with its keys on the lines below.'],
  ['[[limits]]', 'limits: a list is not a table | Write it as [limits], with its keys on the lines below.'],
  [
    'domain = [[]]',
    'domain[1]: a list is not a table | Write it as [[domain]], with its keys on the lines below.',
  ],
  ['resolver = {}', 'resolver: a table is not a list | Write it in brackets: resolver = ["127.0.0.1"].'],
  [
    '[delivery]\nretryMinutes = 5',
    'delivery.retryMinutes: 5 is not a list | Write it in brackets: retryMinutes = [5, 15, 30, 60].',
  ],
  [
    '[source]\naddress = "192.0.2.1"',
    'source: a table is not a list | Write it as [[source]], with its keys on the lines below.',
  ],
])('toFindings() says that in %s something else belongs there', (toml, finding) => {
  expect(findingsIn(toml)).toEqual([finding]);
});

test('toFindings() misses a list, and says where a password goes', () => {
  expect(findingsIn('[[transport]]\nprotocol = "submission"\npassword = "geheim"')).toEqual([
    'transport[1].domains: is missing | Add it: domains = ["example.net"].',
    'transport[1].password: there is no such key | Secrets do not stand in this file: passwordFile names the one that holds it.',
  ]);
});

const listsOfTables = allKeys.filter((key) => explainKey(key, new Map()).kind === 'a list of tables');

test.each(listsOfTables)('toFindings() says of %s that it is a list of tables', (key) => {
  const parent = key.includes('.') && listsOfTables.includes(key.slice(0, key.lastIndexOf('.')));
  const toml = `${parent ? `[[${key.slice(0, key.lastIndexOf('.'))}]]\n` : ''}[${key}]`;
  expect(findingsIn(toml)).toContainEqual(expect.stringContaining(`Write it as [[${key}]], with its keys`));
});

import { readFile } from 'node:fs/promises';
import { parse } from 'smol-toml';
import { beforeAll, describe, expect, test } from 'vitest';
import { allKeys, explainKey, findKeys } from './explain.ts';
import { type KeyDocs, parseKeyDocs, readKeyDocs } from './key-docs.ts';
import { shapes } from './schema.ts';

let docs: KeyDocs;
let configuration = '';
beforeAll(async () => {
  docs = await readKeyDocs();
  configuration = await readFile(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
});

describe('every key', () => {
  test.each(allKeys)('%s is explained, and named in docs/configuration.md', (key) => {
    const { kind, text, example } = explainKey(key, docs);
    expect(kind).not.toBe('anything');
    expect(text).not.toBe('');
    expect(() => parse(example)).not.toThrow();
    const name = key.slice(key.lastIndexOf('.') + 1);
    expect(configuration).toMatch(
      shapes.has(key) ? new RegExp(`\\b${name}\\b`) : new RegExp(`\`[^\`\n]*\\b${name}\\b`),
    );
  });

  test('whatever the documents say of keys is of keys that there are', () => {
    expect([...docs.keys()].filter((key) => !allKeys.includes(key))).toEqual([]);
  });
});

test('explainKey() tells kind, unit, default, an example and the words of the documents', () => {
  expect(explainKey('limits.recipients', docs)).toMatchObject({
    table: '[limits]',
    kind: 'a number of recipients from 1 to 100000',
    unit: 'recipients',
    isRequired: false,
    default: '1000',
    example: 'recipients = 1000',
    text: expect.stringMatching(/^in one transaction; the rest get 452 4\.5\.3/),
  });
  expect(explainKey('listener.protocol', docs)).toMatchObject({
    table: '[[listener]]',
    isRequired: true,
    example: 'protocol = "smtp"',
  });
  expect(explainKey('oauth.introspection.clientId', docs).text).toMatch(/RFC 7662/);
});

test.each([
  ['sendmail.senders', 'a list of tables', '[[sendmail.senders]]'],
  ['policy.checks', 'a list of tables', '[[policy.checks]]'],
  ['listener', 'a list of tables', '[[listener]]'],
  ['sendmail', 'a table', '[sendmail]'],
])('explainKey(%s) is %s, begun as the file wants it', (key, kind, example) => {
  expect(explainKey(key, docs)).toMatchObject({ kind, example });
});

test.each([
  ['limits.recipients', ['limits.recipients']],
  ['listener[2].port', ['listener.port']],
  ['greetingDelayMs', ['limits.greetingDelayMs']],
  ['blocklists', ['guard.blocklists']],
])('findKeys(%s) is %j', (asked, found) => {
  expect(findKeys(asked).found).toEqual(found);
});

test('findKeys() finds all that one word may mean', () => {
  const all = ['guard.enabled', 'dossier.enabled'];
  expect(findKeys('enabled').found).toEqual(expect.arrayContaining(all));
});

test.each([
  ['limits.recipient', 'limits.recipients'],
  ['recipiens', 'limits.recipients'],
  ['hostnam', 'hostname'],
  ['xyzzy', undefined],
])('findKeys(%s) suggests %s', (asked, nearest) => {
  expect(findKeys(asked)).toEqual({ found: [], nearest });
});

test('parseKeyDocs() reads tables of keys, and no others', () => {
  const text = [
    '| key | default | what |',
    '|---|---|---|',
    '| `hostname` | – | our name |',
    '',
    '`[limits]`, so much:',
    '',
    '| key | default | what |',
    '|---|---|---|',
    '| `one`, `other` | 1 | a \\| b |',
    '',
    '| exit code | |',
    '| `0` | fine |',
  ];
  expect([...parseKeyDocs(text.join('\n'))]).toEqual([
    ['hostname', { default: '–', text: 'our name' }],
    ['limits.one', { default: '1', text: 'a | b' }],
    ['limits.other', { default: '1', text: 'a | b' }],
  ]);
});

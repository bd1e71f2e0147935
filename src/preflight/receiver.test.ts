import { expect, test } from 'vitest';
import { letterOf } from '../testing/preflight-letter.ts';
import { offered } from './receiver.ts';

const tls = { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', certificate: 'verified' } as const;
const all = new Map([
  ['SIZE', '1000'],
  ['8BITMIME', ''],
  ['SMTPUTF8', ''],
]);
const without = (...names: string[]) => new Map([...all].filter(([name]) => !names.includes(name)));
const letter = { body: 'Grüße' };

test.each<[string, Parameters<typeof offered>[0], Parameters<typeof letterOf>[0], string[]]>([
  ['nothing', { extensions: all, tls }, letter, ['size-fits good']],
  ['no limit', { extensions: without('SIZE'), tls }, { body: 'x'.repeat(2000) }, ['size-fits good']],
  ['a message that is too long', { extensions: all, tls }, { body: 'x'.repeat(2000) }, ['size-over error']],
  ['no TLS', { extensions: all }, letter, ['tls-absent notice', 'size-fits good']],
  [
    'no 8BITMIME',
    { extensions: without('8BITMIME'), tls },
    letter,
    ['size-fits good', '8bitmime-absent notice'],
  ],
  ['no 8BITMIME, of ASCII', { extensions: without('8BITMIME'), tls }, {}, ['size-fits good']],
  ['no SMTPUTF8, to an address in ASCII', { extensions: without('SMTPUTF8'), tls }, {}, ['size-fits good']],
  [
    'no SMTPUTF8, to one that is not',
    { extensions: without('SMTPUTF8'), tls },
    { to: 'jörg@example.net' },
    ['size-fits good', 'smtputf8-absent error'],
  ],
])('offered() finds %s', async (_, session, options, expected) => {
  const found = offered(session, await letterOf(options));
  expect(found.map(({ id, severity }) => `${id} ${severity}`)).toEqual(expected);
});

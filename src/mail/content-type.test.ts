import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseContentType } from './content-type.ts';

interface Vector {
  header: string;
  expected: { c_type: string; c_subtype: string | null; attributes: [string, string][] | null } | null;
}

const vectors: Vector[] = JSON.parse(
  readFileSync(new URL('../../testdata/mime/content-type.json', import.meta.url), 'utf8'),
);

/** What its value for a field of another kind, or one that is broken, would be is of no use here. */
const isContentType = ({ header, expected }: Vector): boolean =>
  typeof expected?.c_subtype === 'string' && !header.startsWith('text/plain/'); // a subtype has no slash (RFC 2045 §5.1): the second one and what follows is left
/** Pieces of parameters, encoded words and charsets are decoded there: none of them can be a boundary. */
const isPlain = (attributes: readonly [string, string][], header: string): boolean =>
  !/\*|=\?|[^\x20-\x7e\s]/.test(header) && attributes.length > 0;

describe('parseContentType()', () => {
  test.each(vectors.filter(isContentType).map((vector) => [vector.header, vector.expected] as const))(
    'reads the type in %j',
    (header, expected) => {
      const found = parseContentType(header.replace(/\n/g, ''));
      expect([found?.type, found?.subtype]).toEqual([
        expected?.c_type.toLowerCase(),
        expected?.c_subtype?.toLowerCase(),
      ]);
    },
  );

  const whole = vectors.filter(
    (vector) => isContentType(vector) && isPlain(vector.expected?.attributes ?? [], vector.header),
  );
  test.each(whole.map(({ header, expected }) => [header, expected?.attributes ?? []] as const))(
    'reads the boundary in %j',
    (header, attributes) => {
      const { parameters } = parseContentType(header.replace(/\n/g, '')) ?? {};
      const wanted = attributes.filter(([name]) => name === 'boundary' || name === 'charset');
      expect(wanted.map(([name]) => [name, parameters?.get(name)])).toEqual(wanted);
    },
  );

  test.each(['', '/', 'text', 'text/', '/plain', '; charset=x'])('reads nothing in %j', (value) => {
    expect(parseContentType(value)).toBeUndefined();
  });
});

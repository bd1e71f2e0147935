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

/** What is no type and subtype there is none here; of a subtype with a slash (RFC 2045 §5.1 has none) the second is left. */
function typeIn({ header, expected }: Vector): (string | undefined)[] {
  if (typeof expected?.c_subtype !== 'string') return [undefined, undefined];
  const subtype = header.startsWith('text/plain/') ? 'plain' : expected.c_subtype;
  return [expected.c_type, subtype].map((word) => word.toLowerCase());
}

/** Pieces of parameters, encoded words and charsets are decoded there: none of them can be a boundary. */
const isPlain = ({ header, expected }: Vector): boolean =>
  typeof expected?.c_subtype === 'string' && !/^text\/plain\/|\*|=\?|[^\x20-\x7e\s]/.test(header);

describe('suite mime: content types', () => {
  test.each(vectors.map((vector, index) => ({ ...vector, index })))(
    'suite mime: content type $index $header',
    (vector) => {
      const found = parseContentType(vector.header.replace(/\n/g, ''));
      expect([found?.type, found?.subtype]).toEqual(typeIn(vector));
      if (!isPlain(vector)) return;
      const wanted = (vector.expected?.attributes ?? []).filter(([name]) =>
        /^(?:boundary|charset)$/.test(name),
      );
      expect(wanted.map(([name]) => [name, found?.parameters.get(name)])).toEqual(wanted);
    },
  );
});

describe('parseContentType()', () => {
  test.each(['', '/', 'text', 'text/', '/plain', '; charset=x'])('reads nothing in %j', (value) => {
    expect(parseContentType(value)).toBeUndefined();
  });
});

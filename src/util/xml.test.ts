import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseXml, XmlError } from './xml.ts';

const read = (text: string) => parseXml(Buffer.from(text));

describe('parseXml()', () => {
  test('reads elements and their text', () => {
    expect(
      read(
        '<?xml version="1.0"?>\n<!-- a --><a x="1" y=\'&lt;\'>\n <n:b>1 &lt; 2 &#65;&#x42;</n:b><c/><![CDATA[<&>]]></a>\n',
      ),
    ).toEqual({
      name: 'a',
      text: '\n <&>',
      children: [
        { name: 'b', text: '1 < 2 AB', children: [] },
        { name: 'c', text: '', children: [] },
      ],
    });
  });

  test.each([
    ['UTF-8 with a mark', Buffer.from('\ufeff<a>ä</a>')],
    ['UTF-16', Buffer.from('\ufeff<a>ä</a>', 'utf16le')],
    ['ISO-8859-1', Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a>\xe4</a>', 'latin1')],
  ])('reads %s', (_, octets) => {
    expect(parseXml(octets).text).toBe('ä');
  });

  test.each([
    ['<!DOCTYPE a><a/>', /document type/],
    ['<a><!ENTITY b "c"></a>', /document type or entities/],
    ['<a>&b;</a>', /entity/],
    ['<a b="&c;"/>', /entity/],
    ['<a>&__proto__;</a>', /entity/],
    ['<a>a & b</a>', /bare/],
    ['<a>&#0;</a>', /a character that there is not/],
    ['<a>&#xd800;</a>', /a character that there is not/],
    ['<?php ?><a/>', /instruction/],
    ['<a><?php ?></a>', /instruction/],
    ['<a/><b/>', /two outermost/],
    ['<a/>text', /outside/],
    ['text<a/>', /outside/],
    ['', /no element/],
    ['<a>', /does not end/],
    ['<a></b>', /not open/],
    ['<x:a></a>', /not open/],
    ['</a>', /not open/],
    ['<a', /does not end/],
    ['<a b/>', /no value/],
    ['<a b=c/>', /not quoted/],
    ['<a b="c/>', /does not end/],
    ['<a b="c"d="e"/>', /does not end/],
    ['<a><!-- </a>', /comment/],
    ['<a><![CDATA[ </a>', /CDATA/],
    ['< a/>', /name/],
    ['<?xml version="1.0" encoding="x-none"?><a/>', /encoding/],
  ])('refuses %s', (text, problem) => {
    expect(() => read(text)).toThrow(problem);
  });

  test('is linear', () => {
    const startedAt = performance.now();
    for (const piece of ['<a>', '<', '&', 'a', '<a b="', ' ', '<!--', '&#x41;'])
      expect(() => read(`<r>${piece.repeat(400_000)}`)).toThrow(XmlError);
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });

  test('throws nothing else, whatever it is', () => {
    const pieces = fc.constantFrom(
      '<',
      '>',
      '/',
      'a',
      '"',
      '=',
      ' ',
      '&',
      ';',
      '<!',
      '--',
      '[CDATA[',
      ']]>',
      '?',
      'é',
      '#1',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 60 }), (parts) => {
        try {
          read(parts.join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(XmlError);
        }
      }),
    );
  });
});

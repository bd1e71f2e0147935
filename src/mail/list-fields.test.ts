import { describe, expect, test } from 'vitest';
import { parseHeader } from './header.ts';
import { hasListField, listField, listId } from './list-fields.ts';

const header = (text: string) => parseHeader(Buffer.from(`${text}\r\n\r\n`));

describe('List-Id', () => {
  test('is a name below the domain, with what people call it', () => {
    expect(listField({ address: 'club@example.net' })).toBe('List-Id: <club.example.net>\r\n');
    expect(listField({ address: 'club@example.net', name: 'The "Club"' })).toBe(
      'List-Id: "The \\"Club\\"" <club.example.net>\r\n',
    );
    expect(listId('"a b"@example.net')).toBe('<-a-b-.example.net>');
  });

  test.each([
    ['List-Id: "The Club" <club.example.net>', true],
    ['list-id: <CLUB.Example.net>', true],
    ['List-Id: <other.example.net>', false],
    ['List-Id: <sub.club.example.net>', false],
    ['Subject: <club.example.net>', false],
  ])('is known again: %s: %s', (field, expected) => {
    expect(hasListField(header(field), 'club@example.net')).toBe(expected);
  });
});

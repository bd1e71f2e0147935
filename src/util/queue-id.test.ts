import { expect, test } from 'vitest';
import { firstIdAt, queueIds } from './queue-id.ts';

test('firstIdAt() parts the ids that were made before a moment from the others', () => {
  const moment = Date.UTC(2026, 3, 12);
  const made = (ms: number) => queueIds(() => ms, Math.random)();
  expect(made(moment - 1) < firstIdAt(moment)).toBe(true);
  expect(made(moment) >= firstIdAt(moment)).toBe(true);
  expect(firstIdAt(-5)).toBe(firstIdAt(0));
});

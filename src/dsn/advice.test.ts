import { expect, test } from 'vitest';
import { adviceFor } from './advice.ts';

test.each([
  '5.1.1',
  '4.2.2',
  '5.3.4',
  '4.4.1',
  '5.5.0',
  '5.6.0',
  '5.7.26',
  '4.4.7',
  '4.7.5',
  '5.7.10',
  '5.7.30',
  '5.0.0',
  '5.99.1',
  '',
])('adviceFor() has something to do about %j', (status) => {
  expect(adviceFor(status)).toMatch(/^[\x20-\x7e]+\.$/);
});

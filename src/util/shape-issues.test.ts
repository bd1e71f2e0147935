import * as v from 'valibot';
import { expect, test } from 'vitest';
import { describeIssues } from './shape-issues.ts';

const shape = v.object({
  password: v.string(),
  limits: v.array(v.pipe(v.number(), v.minValue(1))),
});

const problems = (value: unknown) => describeIssues(v.safeParse(shape, value).issues ?? []);

test('each place that is wrong is named, and what it should be', () => {
  expect(problems({ limits: [1, 0, 'x'] })).toBe(
    'password is missing; limits.1 should be >=1; limits.2 should be number',
  );
  expect(problems('x')).toBe('the whole should be Object');
});

test('what stands there is not told: it may be a secret, or no text for a terminal', () => {
  expect(problems({ password: ['\u001b[2Jhunter2'], limits: [] })).toBe('password should be string');
});

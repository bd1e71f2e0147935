import { expect, test } from 'vitest';
import { FilterError } from '../stream.ts';
import type { MilterChange } from './answers.ts';
import { apply, maxAddedBytes, noChanges } from './changes.ts';

const inserted = (value: string): MilterChange => ({
  change: 'insertField',
  index: 1,
  name: 'X-Field',
  value,
});

test('the octets of fields that were replaced are free again', () => {
  const value = 'x'.repeat(10_000);
  const changes = noChanges([{ name: 'X-Field', value: ` ${value}` }]);
  for (let turn = 0; turn < 20; turn++)
    apply(changes, { change: 'changeField', name: 'x-field', index: 1, value });
  expect(changes.fields).toHaveLength(1);
  for (let turn = 0; turn < 5; turn++) apply(changes, inserted(value));
  expect(() => apply(changes, inserted(value))).toThrow(new RegExp(`more than ${maxAddedBytes} octets`));
});

test('the fields of earlier filters count among those that are added', () => {
  const earlier = Array.from({ length: 6 }, () => ({ name: 'X-Earlier', value: ` ${'x'.repeat(10_000)}` }));
  expect(() => apply(noChanges(earlier), inserted('x'.repeat(6000)))).toThrow(FilterError);
});

test('a body that comes in many pieces is one change', () => {
  const changes = noChanges([]);
  for (let piece = 0; piece < 5000; piece++) apply(changes, { change: 'replaceBody' });
  expect(changes.count).toBe(1);
});

test('fields that came with the message are known by name, whatever its case', () => {
  const changes = noChanges([], ['Received', 'received', 'Subject']);
  apply(changes, { change: 'changeField', name: 'RECEIVED', index: 2, value: 'other' });
  expect(changes.fields).toEqual([]);
  apply(changes, { change: 'changeField', name: 'RECEIVED', index: 3, value: 'new' });
  expect(changes.fields).toEqual([{ name: 'RECEIVED', value: ' new' }]);
});

test('changes without end are refused in bounded time', () => {
  const changes = noChanges([]);
  const all = () => {
    for (let count = 0; count < 100_000; count++) apply(changes, inserted(''));
  };
  expect(all).toThrow(/more than 1000 changes/);
});

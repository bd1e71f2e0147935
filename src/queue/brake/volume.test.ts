import { describe, expect, test } from 'vitest';
import {
  addOutcomes,
  addSent,
  emptyVolume,
  noteEvidence,
  notePeak,
  ofLastDay,
  ofLastHour,
  peakBefore,
} from './volume.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const noon = Date.UTC(2026, 0, 5, 12);

describe('recipients of the last hour', () => {
  test('are those of a window that slides', () => {
    const volume = emptyVolume();
    for (let at = noon; at < noon + 2 * hour; at += 10 * minute) addSent(volume, 7, at);
    expect(ofLastHour(volume, noon + 2 * hour - 1)).toBe(6 * 7);
    expect(ofLastHour(volume, noon + 3 * hour)).toBe(0);
    expect(volume.slots.length).toBeLessThanOrEqual(12);
  });

  test('can be taken back', () => {
    const volume = emptyVolume();
    addSent(volume, 10, noon);
    addSent(volume, -4, noon + minute);
    expect(ofLastHour(volume, noon + minute)).toBe(6);
    addSent(volume, -40, noon + 10 * minute);
    expect(ofLastHour(volume, noon + 10 * minute)).toBe(6);
  });
});

describe('the peak', () => {
  test('is the most within an hour of the 30 days before today', () => {
    const volume = emptyVolume();
    addSent(volume, 9, noon);
    addSent(volume, 11, noon + 30 * minute);
    expect(peakBefore(volume, noon + hour)).toBe(0);
    expect(peakBefore(volume, noon + day)).toBe(20);
    addSent(volume, 5, noon + day);
    expect(peakBefore(volume, noon + 2 * day)).toBe(20);
    expect(peakBefore(volume, noon + 30 * day)).toBe(20);
    expect(peakBefore(volume, noon + 31 * day)).toBe(5);
  });

  test('can be noted, and days are kept for no longer than they count', () => {
    const volume = emptyVolume();
    for (let count = 0; count < 100; count++) notePeak(volume, count, noon + count * day);
    expect(volume.days).toHaveLength(31);
    expect(peakBefore(volume, noon + 99 * day)).toBe(98);
  });
});

test('outcomes are those of a day', () => {
  const volume = emptyVolume();
  for (let at = noon; at < noon + 2 * day; at += hour) addOutcomes(volume, 2, 1, at);
  expect(ofLastDay(volume, noon + 2 * day - hour)).toEqual({ ended: 48, bounced: 24 });
  expect(ofLastDay(volume, noon + 4 * day)).toEqual({ ended: 0, bounced: 0 });
  expect(volume.outcomes.length).toBeLessThanOrEqual(24);
});

test('of where it came from, and for whom, a few are remembered', () => {
  const volume = emptyVolume();
  for (let index = 0; index < 100; index++)
    noteEvidence(volume, { client: `192.0.2.${index}`, recipients: [`${index}@example.net`, 'x'] }, noon);
  noteEvidence(volume, { client: '192.0.2.99', recipients: ['last@example.net'] }, noon);
  expect(volume.clients).toHaveLength(8);
  expect(volume.clients[0]).toEqual(['192.0.2.99', 3, noon]);
  expect(volume.recipients).toHaveLength(5);
  expect(volume.recipients[0]).toBe('last@example.net');
  noteEvidence(volume, { client: '192.0.2.99', recipients: ['a'] }, noon + 2 * day);
  expect(volume.clients).toEqual([['192.0.2.99', 1, noon + 2 * day]]);
});

test('noteEvidence() names each recipient once', () => {
  const volume = emptyVolume();
  const client = '192.0.2.1';
  noteEvidence(volume, { client, recipients: ['a@example.org', 'b@example.org'] }, noon);
  noteEvidence(volume, { client, recipients: ['b@example.org', 'c@example.org'] }, noon + minute);
  expect(volume.recipients).toEqual(['b@example.org', 'c@example.org', 'a@example.org']);
});

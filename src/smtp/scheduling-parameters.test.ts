import { describe, expect, test } from 'vitest';
import {
  checkScheduling,
  readScheduling,
  type SchedulingRequests,
  schedulingExtensions,
  schedulingParameters,
  timeFault,
} from './scheduling-parameters.ts';

const now = Date.UTC(2026, 0, 5, 12);
const day = 24 * 3600;
const terms = { holdSeconds: 30 * day };

const parametersOf = (text: string) =>
  new Map(text.split(' ').map((word) => word.split(/=(.*)/s).slice(0, 2) as [string, string])); // both are there

const refusalOf = (text: string, holdSeconds = terms.holdSeconds) =>
  checkScheduling(parametersOf(text), { holdSeconds }, now)?.code;

describe('what the sender asks of when', () => {
  test.each<[string, SchedulingRequests]>([
    ['HOLDFOR=1', { hold: { seconds: 1 } }],
    ['HOLDFOR=2592000', { hold: { seconds: 30 * day } }],
    ['HOLDUNTIL=2026-01-06T08:00:00Z', { hold: { until: Date.UTC(2026, 0, 6, 8) } }],
    ['HOLDUNTIL=2026-01-06T08:00:00.5+02:00', { hold: { until: Date.UTC(2026, 0, 6, 6, 0, 0, 500) } }],
    ['HOLDUNTIL=2026-01-05T08:00:00z', { hold: { until: Date.UTC(2026, 0, 5, 8) } }],
    ['BY=120;R', { by: { seconds: 120, mode: 'R' } }],
    ['BY=+120;rt', { by: { seconds: 120, mode: 'R', trace: true } }],
    ['BY=-5;N', { by: { seconds: -5, mode: 'N' } }],
    ['BY=0;NT', { by: { seconds: 0, mode: 'N', trace: true } }],
    ['MT-PRIORITY=9', { priority: 9 }],
    ['MT-PRIORITY=-9', { priority: -9 }],
    ['MT-PRIORITY=-0', { priority: 0 }],
    ['HOLDFOR=60 BY=61;R', { hold: { seconds: 60 }, by: { seconds: 61, mode: 'R' } }],
    ['HOLDFOR=60 BY=1;N', { hold: { seconds: 60 }, by: { seconds: 1, mode: 'N' } }],
  ])('%s', (text, requests) => {
    expect(refusalOf(text)).toBeUndefined();
    expect(readScheduling(parametersOf(text))).toEqual(requests);
  });

  test.each([
    'HOLDFOR=0',
    'HOLDFOR=-1',
    'HOLDFOR=1e3',
    'HOLDFOR=9999999999',
    'HOLDFOR=2592001',
    'HOLDUNTIL=2026-02-04T12:00:01Z',
    'HOLDUNTIL=2026-01-06',
    'HOLDUNTIL=2026-13-06T08:00:00Z',
    'HOLDUNTIL=tomorrow',
    'HOLDFOR=1 HOLDUNTIL=2026-01-06T08:00:00Z',
    'BY=120',
    'BY=120;X',
    'BY=120;RTT',
    'BY=0;R',
    'BY=-1;R',
    'BY=1234567890;N',
    'HOLDFOR=60 BY=60;R',
    'MT-PRIORITY=10',
    'MT-PRIORITY=+1',
    'MT-PRIORITY=high',
  ])('%s is refused', (text) => {
    expect(refusalOf(text)).toBe(501);
  });

  test('nothing is held where that is not offered', () => {
    expect(refusalOf('HOLDFOR=1', 0)).toBe(501);
    expect(schedulingExtensions({ holdSeconds: 0 }, now)).toEqual(['DELIVERBY', 'MT-PRIORITY']);
    expect(schedulingExtensions(terms, now)[0]).toBe('FUTURERELEASE 2592000 2026-02-04T12:00:00Z');
  });
});

describe('what is passed on', () => {
  const asked: SchedulingRequests = { by: { seconds: 90, mode: 'R', trace: true }, priority: -3 };

  test.each<[SchedulingRequests, string[], string]>([
    [asked, ['DELIVERBY', 'MT-PRIORITY'], ' BY=90;RT MT-PRIORITY=-3'],
    [asked, ['MT-PRIORITY'], ' MT-PRIORITY=-3'],
    [asked, [], ''],
    [{ by: { seconds: 0, mode: 'R' } }, ['DELIVERBY'], ' BY=1;R'],
    [{ by: { seconds: -7, mode: 'N' } }, ['DELIVERBY'], ' BY=-7;N'],
    [{ hold: { seconds: 5 } }, ['DELIVERBY', 'FUTURERELEASE'], ''],
  ])('%j to a receiver with %j is "%s"', (requests, offered, parameters) => {
    expect(schedulingParameters(requests, (keyword) => offered.includes(keyword))).toBe(parameters);
  });

  test('a receiver that takes longer than that is no use (RFC 2852 §3)', () => {
    expect(timeFault(asked, '91')).toMatch(/no delivery within 90 seconds, but within 91/);
    for (const least of ['90', '', undefined, 'soon']) expect(timeFault(asked, least)).toBeUndefined();
    expect(timeFault({ by: { seconds: 1, mode: 'N' } }, '240')).toBeUndefined();
  });
});

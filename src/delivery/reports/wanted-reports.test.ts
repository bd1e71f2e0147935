import { describe, expect, test } from 'vitest';
import type { JobRequests, JobRow } from '../../store/job.ts';
import { sampleJob } from '../../testing/store.ts';
import { askedOfNext, namesOf, reachedBy, unwantedBy } from './wanted-reports.ts';

const job = (requests?: JobRequests, changes: Partial<JobRow> = {}) =>
  sampleJob('Q1', { ...changes, ...(requests && { requests }) });
const delivered = { kind: 'delivered' } as const;

describe('reachedBy()', () => {
  test.each([
    ['a mailbox of ours', job({ notify: ['success'] }, { kind: 'local' }), delivered, 'delivered'],
    ['a receiver without DSN', job({ notify: ['failure', 'success'] }), delivered, 'relayed'],
    ['a receiver with DSN', job({ notify: ['success'] }), { ...delivered, reportsThere: true }, undefined],
    ['nobody asked', job(), delivered, undefined],
    ['NOTIFY=NEVER', job({ notify: ['never'] }, { kind: 'local' }), delivered, undefined],
    ['NOTIFY=FAILURE', job({ notify: ['failure'] }, { kind: 'local' }), delivered, undefined],
    ['ORCPT alone', job({ orcpt: 'rfc822;a@example.org' }), delivered, undefined],
  ] as const)('%s (RFC 3461 §5.2)', (_, row, outcome, action) => {
    expect(reachedBy(row, outcome, 5)?.action).toBe(action);
  });
});

describe('of what an account has passed on', () => {
  const memo = { forwardedBy: 'bob@example.com' };
  const endpoint = { host: 'mx.example.net', address: '192.0.2.1', port: 25 };

  test('success is told of the address that was written to, whatever its receiver can tell', () => {
    const requests = { notify: ['success'], orcpt: 'rfc822;info@example.com' } as const;
    const row = job(requests, { memo, originalRecipient: 'info@example.com' });
    for (const outcome of [delivered, { ...delivered, reportsThere: true, endpoint }] as const)
      expect(reachedBy(row, outcome, 5)).toEqual({
        recipient: 'info@example.com',
        orcpt: { type: 'rfc822', address: 'info@example.com' },
        action: 'relayed',
        at: 5,
      });
    expect(reachedBy(job(requests, { memo }), delivered, 5)?.recipient).toBe('bob@example.com');
  });

  test('the next server is asked for no report, and for none at all where the sender wants none', () => {
    expect(
      askedOfNext(job({ notify: ['success', 'failure'], orcpt: 'rfc822;x@y.example' }, { memo })),
    ).toBeUndefined();
    expect(askedOfNext(job({ notify: ['never'] }, { memo }))).toEqual({ notify: ['never'] });
    expect(askedOfNext(job({ notify: ['success'] }))).toEqual({ notify: ['success'] });
  });
});

describe('unwantedBy()', () => {
  test.each([
    [undefined, {}],
    [{ orcpt: 'rfc822;a@example.org' }, {}],
    [{ notify: ['failure'] }, {}],
    [{ notify: ['never'] }, { unwanted: true }],
    [{ notify: ['success', 'delay'] }, { unwanted: true }],
  ] as const)('%j makes %j', (requests, mark) => {
    expect(unwantedBy(job(requests))).toEqual(mark);
  });
});

describe('namesOf()', () => {
  test('has the ORCPT decoded, and the alias', () => {
    const row = job({ orcpt: 'rfc822;a+2Bb@example.org' }, { originalRecipient: 'info@example.net' });
    expect(namesOf(row)).toEqual({
      recipient: 'recipient@example.net',
      originalRecipient: 'info@example.net',
      orcpt: { type: 'rfc822', address: 'a+b@example.org' },
    });
  });
});

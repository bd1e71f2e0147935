import { describe, expect, test } from 'vitest';
import { createLog } from '../util/log.ts';
import { logEvents } from './log-events.ts';

function logged(level: 'info' | 'debug', events: Parameters<typeof logEvents>[1]) {
  const lines: Record<string, unknown>[] = [];
  const log = createLog(level, { write: (line: string) => void lines.push(JSON.parse(line)) });
  logEvents(log, events);
  return lines;
}

const event = (name: string, data: Record<string, unknown>) => ({
  at: 0,
  queueId: '1M80CGX2W00048',
  recipient: 'b@example.net',
  event: name,
  data,
});

describe('logEvents()', () => {
  test('P7: writes one line per event with its queue id and recipient', () => {
    const lines = logged('info', [
      event('accepted', { from: 'a@example.com', to: ['b@example.net'], dialogue: [[0, 'C: secret']] }),
      event('deferred', { reason: '450 later', status: '4.2.0', nextAttemptAt: 5 }),
    ]);
    expect(lines).toMatchObject([
      { msg: 'accepted', queueId: '1M80CGX2W00048', from: 'a@example.com' },
      { msg: 'deferred', recipient: 'b@example.net', reason: '450 later', nextAttemptAt: 5 },
    ]);
    expect(JSON.stringify(lines)).not.toContain('secret');
  });

  test('tells steps on the way at level debug only', () => {
    expect(logged('info', [event('routed', { hosts: [] })])).toEqual([]);
    expect(logged('debug', [event('routed', { hosts: ['mx'] })])).toMatchObject([
      { msg: 'routed', hosts: ['mx'] },
    ]);
  });

  test('tells a damaged copy of ours as an error, and what to do', () => {
    const data = {
      reason: 'the octets of /data/spool/x are not those that were accepted',
      copyIsDamaged: true,
    };
    for (const name of ['deferred', 'failed'])
      expect(logged('info', [event(name, data)])).toEqual([
        expect.objectContaining({
          level: 50,
          queueId: '1M80CGX2W00048',
          reason: data.reason,
          msg: expect.stringMatching(`^${name}: our own copy .* posthorn store check$`),
        }),
      ]);
  });

  test('tells a login that was refused as an error: only the operator can mend it', () => {
    const data = { reason: '535 5.7.8 no', phase: 'authenticating', status: '4.7.8' };
    expect(logged('info', [event('deferred', data)])).toMatchObject([
      { level: 50, reason: data.reason, msg: expect.stringContaining('user and passwordFile') },
    ]);
    expect(logged('info', [event('deferred', { ...data, phase: 'connecting' })])).toMatchObject([
      { level: 30 },
    ]);
  });

  test('names a bounded number of recipients', () => {
    const [line] = logged('info', [event('accepted', { to: Array.from({ length: 1000 }, String) })]);
    expect(line?.to).toHaveLength(20);
  });
});

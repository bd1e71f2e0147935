import { describe, expect, test } from 'vitest';
import { sampleJob, sampleMessage } from '../testing/store.ts';
import { finalFields } from './final-fields.ts';

const fieldsOf = (originalRecipient?: string): string[] =>
  finalFields(
    sampleMessage('Q1', { message: { reversePath: 'ann@example.net' } }).message,
    sampleJob('Q1', {
      recipient: 'bob@example.com',
      ...(originalRecipient !== undefined && { originalRecipient }),
    }),
  )
    .toString()
    .split('\r\n');

describe('finalFields()', () => {
  test('begins with Return-Path and the mailbox', () => {
    expect(fieldsOf()).toEqual(['Return-Path: <ann@example.net>', 'Delivered-To: bob@example.com', '']);
  });

  test.each(['bob+Shop@example.com', 'Bob-x@example.net', 'bob+@example.com'])(
    'M12: +tag: Delivered-To keeps what was written: %s',
    (written) => {
      expect(fieldsOf(written).slice(1)).toEqual([`Delivered-To: ${written}`, '']);
    },
  );

  test.each(['info@example.com', 'bobby@example.com', 'bo@example.com'])(
    'M12: aliases: %s is told beside the mailbox',
    (written) => {
      const expected = ['Delivered-To: bob@example.com', `X-Original-To: ${written}`, ''];
      expect(fieldsOf(written).slice(1)).toEqual(expected);
    },
  );

  test('tells why a forward has come back, in one line of ASCII', () => {
    const reason = `550 no\r\nBcc: x ${'ü'.repeat(600)} ${'z'.repeat(600)}`;
    const memo = { returned: { from: 'ann@example.org', reason } };
    const job = sampleJob('Q1', { recipient: 'bob@example.com', memo });
    const lines = finalFields(sampleMessage('Q1').message, job).toString().split('\r\n');
    expect(lines.slice(2)).toEqual([
      expect.stringMatching(
        /^X-Posthorn-Forward: could not be passed on to <ann@example\.org>: 550 no Bcc: x z{486}$/,
      ),
      '',
    ]);
  });
});

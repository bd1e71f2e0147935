import { describe, expect, test } from 'vitest';
import { parseHeader } from '../mail/header.ts';
import type { Recipient } from '../queue/directory.ts';
import { replyText } from '../smtp/reply.ts';
import { findLoop, maxReceivedFields } from './loops.ts';

const bob: Recipient = { kind: 'local', address: 'bob@example.com', destination: '' };
const ann: Recipient = { kind: 'remote', address: 'ann@example.net', destination: 'example.net' };

const loopIn = (fields: string, recipients: Recipient[] = [bob]): string | undefined => {
  const found = findLoop(parseHeader(Buffer.from(`${fields}\r\n`)), recipients);
  return found && replyText(found);
};

describe('findLoop()', () => {
  test('duty-2: lets 50 Received fields pass and refuses the 51st', () => {
    const hop = 'Received: from a.example by b.example;\r\n\tMon, 5 Jan 2026 12:00:00 +0000\r\n';
    expect(maxReceivedFields).toBe(50);
    expect(loopIn(hop.repeat(50))).toBeUndefined();
    expect(loopIn(hop.repeat(51))).toMatch(/^554 5\.4\.6 Mail loop/);
  });

  test.each([
    'Delivered-To: bob@example.com',
    'delivered-to:   Bob@Example.com  ',
    'Delivered-To: eve@example.com\r\nSubject: x\r\nDelivered-To: bob@example.com',
  ])('duty-2: refuses what was delivered here before: %j', (fields) => {
    expect(loopIn(`${fields}\r\n`)).toMatch(/^554 5\.4\.6 Mail loop/);
  });

  test.each<Recipient>([
    { ...bob, redirected: { from: 'Info+x@example.com', rule: 'alias' } },
    { ...ann, redirected: { from: 'info+x@example.com', rule: 'alias' } },
    { ...ann, forwardedBy: 'info+x@example.com' },
  ])('duty-2: refuses what went on from an address of ours before: %j', (recipient) => {
    expect(loopIn('Delivered-To: info+x@example.com\r\n', [recipient])).toMatch(/^554 5\.4\.6 Mail loop/);
    expect(loopIn('Delivered-To: other@example.com\r\n', [recipient])).toBeUndefined();
  });

  test('duty-2: lets pass what was delivered to others, or to nobody', () => {
    expect(loopIn('Delivered-To: eve@example.com\r\n')).toBeUndefined();
    expect(loopIn('Subject: Delivered-To: bob@example.com\r\n')).toBeUndefined();
    expect(loopIn('Delivered-To: ann@example.net\r\n', [ann])).toBeUndefined();
  });
});

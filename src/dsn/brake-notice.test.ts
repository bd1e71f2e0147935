import { expect, test } from 'vitest';
import { type BrakeNotice, composeBrakeNotice } from './brake-notice.ts';

const notice: BrakeNotice = {
  hostname: 'mx.example.com',
  from: 'postmaster@example.com',
  to: 'bob@example.com',
  account: 'bob@example.com',
  audience: 'user',
  brakedAt: Date.UTC(2026, 0, 5, 12),
  volume: { count: 312, limit: 50, peak: 4 },
  clients: [['203.0.113.9', 311, 0]],
  recipients: ['a@example.net', 'b@example.net'],
  waiting: 312,
  isReminder: false,
  now: Date.UTC(2026, 0, 5, 12),
  messageId: '<1@mx.example.com>',
};

const text = (changes: Partial<BrakeNotice>) => composeBrakeNotice({ ...notice, ...changes }).toString();

test('the user hears why, with the numbers, where it came from and for whom, and what to do', () => {
  const letter = text({}).replace(/\r\n/g, ' ');
  expect(letter).toContain('Subject: What you send is held');
  expect(letter).toContain('Auto-Submitted: auto-generated');
  expect(letter).toContain('There were 312 recipients within an hour, and 50 are allowed.');
  expect(letter).toContain('30 days before was 4');
  expect(letter).toContain('203.0.113.9  (311 recipients)');
  expect(letter).toContain('<a@example.net>');
  expect(letter).toContain('312 recipients wait now');
  expect(letter).toContain('change it now');
  expect(letter).not.toContain('posthorn account release');
});

test('the postmaster hears which commands there are', () => {
  const letter = text({ audience: 'postmaster', to: 'postmaster@example.com' });
  expect(letter).toContain('Subject: Mail of bob@example.com is held');
  expect(letter).toMatch(/^ {4}posthorn account release bob@example\.com\r$/m);
  expect(letter).toMatch(/^ {4}posthorn account release bob@example\.com --drop\r$/m);
});

test('bounces are told as what they are, and a reminder says that it is one', () => {
  const letter = text({ bounces: { ended: 20, bounced: 5 }, isReminder: true, waiting: 1 }).replace(
    /\r\n/g,
    ' ',
  );
  expect(letter).toContain('Subject: Reminder: What you send is held');
  expect(letter).toContain('Of the last 20 recipients within a day, 5 were addresses that nobody has.');
  expect(letter).toContain('1 recipient waits now.');
  expect(letter).toContain('is still held');
});

test('addresses of strangers make no lines of their own', () => {
  expect(text({ recipients: ['a\r\nBcc: x@example.net'] })).not.toMatch(/^Bcc/m);
});

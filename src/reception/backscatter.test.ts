import { describe, expect, test } from 'vitest';
import type { EventRow, TraceQuery } from '../store/store.ts';
import { type ReceptionSetup, TestReception } from '../testing/reception.ts';
import { isUnexpectedReport } from './backscatter.ts';
import { MessageCollector } from './message-collector.ts';
import type { Transaction } from './smtp-application.ts';

const ours = '<letter@example.com>';
const sent: EventRow = { at: 0, queueId: 'Q1', event: 'accepted', data: { from: 'bob@example.com', to: [] } };

/** A report as servers write it, about the message of that Message-ID. */
const reportAbout = (messageId: string, field = 'Message-ID'): string =>
  [
    'From: Mail system <mailer-daemon@mx.example.net>',
    'Content-Type: multipart/report; report-type=delivery-status;',
    '\tboundary=x',
    '',
    '--x',
    'Content-Type: message/delivery-status',
    '',
    'Final-Recipient: rfc822; ann@example.net',
    '--x',
    'Content-Type: text/rfc822-headers',
    '',
    `${field}: ${messageId}`,
    '--x--',
    '',
  ].join('\r\n');

async function isJunk(content: string, { from = '', known = [ours] } = {}): Promise<boolean> {
  const collector = new MessageCollector({
    openSpool: () => Promise.reject(new Error('small messages only')),
    inlineBytes: 1_000_000,
    headerBytes: 10_000,
    editHeader: (header) => header,
  });
  await collector.add(Buffer.from(content));
  collector.end();
  const transaction: Transaction = {
    queueId: 'Q2',
    reversePath: from,
    smtputf8: false,
    eightBit: false,
    forwardPaths: [],
    recipients: [],
  };
  const trace = async ({ messageId }: TraceQuery) => (known.includes(messageId ?? '') ? [sent] : []);
  return isUnexpectedReport({ trace }, transaction, collector, await collector.finish());
}

describe('isUnexpectedReport()', () => {
  test('duty-7: a report about what we sent is welcome', async () => {
    expect(await isJunk(reportAbout(ours))).toBe(false);
    expect(await isJunk(reportAbout(ours, 'References'))).toBe(false);
  });

  test('duty-7: a report about what we never sent is junk', async () => {
    expect(await isJunk(reportAbout('<forged@example.com>'))).toBe(true);
  });

  test('duty-7: so is a report that does not say about what', async () => {
    expect(await isJunk(reportAbout('none'))).toBe(true);
  });

  test('is about nothing but reports from the null sender', async () => {
    expect(await isJunk(reportAbout('<forged@example.com>'), { from: 'mailer@example.net' })).toBe(false);
    expect(await isJunk('Subject: Out of office\r\n\r\nI am away.\r\n')).toBe(false);
  });

  test('a report of ours does not make another one welcome', async () => {
    const report: EventRow = { ...sent, data: { from: '', to: [] } };
    const reception = new TestReception({ ...inbound, known: [report] });
    await reception.send({ from: '', to: 'bob@example.com', content: reportAbout(ours) });
    expect(reception.accepted[0]?.jobs[0]?.folder).toBe('Junk');
  });
});

const inbound: ReceptionSetup = { via: 'smtp', accounts: ['bob@example.com'] };

describe('a report that comes in', () => {
  const letter = { from: '', to: 'bob@example.com', content: reportAbout(ours) };

  test('duty-7: goes to the Junk folder, and the dossier says why, where nothing of the kind was sent', async () => {
    const reception = new TestReception(inbound);
    expect(await reception.send(letter)).toMatch(/^250/);
    const [accepted] = reception.accepted;
    expect(accepted?.jobs[0]?.folder).toBe('Junk');
    expect(accepted?.events.find(({ event }) => event === 'checked')?.data).toMatchObject({
      decision: 'junk',
      rule: 'a delivery report for nothing that was sent from here',
    });
  });

  test('duty-7: goes to the inbox where it was', async () => {
    const reception = new TestReception({ ...inbound, known: [sent] });
    await reception.send(letter);
    expect(reception.accepted[0]?.jobs[0]?.folder).toBe('Inbox');
  });

  test('goes to the inbox where no dossier is kept: nobody knows', async () => {
    const reception = new TestReception({ ...inbound, withoutDossiers: true });
    await reception.send(letter);
    expect(reception.accepted[0]?.jobs[0]?.folder).toBe('Inbox');
  });
});

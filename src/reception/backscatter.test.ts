import { describe, expect, test } from 'vitest';
import { parseHeader } from '../mail/header.ts';
import type { ReceptionSetup } from '../testing/behind-doors.ts';
import { TestReception } from '../testing/reception.ts';
import { isUnexpectedReport } from './backscatter.ts';
import type { Transaction } from './door.ts';

const ours = '<letter@example.com>';

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

async function isJunk(text: string, { from = '', lookedUp = [] as string[] } = {}): Promise<boolean> {
  const bytes = Buffer.from(text);
  const transaction: Transaction = {
    queueId: 'Q2',
    reversePath: from,
    smtputf8: false,
    eightBit: false,
    forwardPaths: [],
    recipients: [],
  };
  const isSentFromHere = async (messageId: string) => {
    lookedUp.push(messageId);
    return messageId === ours;
  };
  return isUnexpectedReport({ isSentFromHere }, transaction, parseHeader(bytes), { kind: 'inline', bytes });
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

  test('looks up few Message-IDs of a forged report, that of the returned message first', async () => {
    const forged = Array.from({ length: 100 }, (_, number) => `References: <${number}@example.com>\r\n`).join(
      '',
    );
    const lookedUp: string[] = [];
    const own = 'Message-ID: <report@mx.example.net>\r\n';
    expect(await isJunk(forged + own + reportAbout('<forged@example.com>'), { lookedUp })).toBe(true);
    expect(lookedUp).toEqual(['<forged@example.com>', '<0@example.com>', '<1@example.com>']);
  });
});

describe('a message whose reports are expected', () => {
  const letter = {
    from: 'bob@example.com',
    to: 'ann@example.net',
    content: `From: bob@example.com\r\nMessage-ID: ${ours}\r\n\r\nHello.\r\n`,
  };

  test.each<[string, ReceptionSetup, boolean | undefined]>([
    ['submitted', { via: 'submission', accounts: ['bob@example.com'], account: 'bob@example.com' }, true],
    ['from a trusted network', { via: 'smtp', trusted: true }, true],
    ['from outside', { via: 'smtp', accounts: ['ann@example.org'] }, undefined],
  ])('duty-7: %s', async (_, setup, expected) => {
    const reception = new TestReception(setup);
    await reception.send(expected ? letter : { ...letter, to: 'ann@example.org' });
    expect(reception.accepted).toHaveLength(1);
    expect(reception.accepted[0]?.sentFromHere || undefined).toBe(expected);
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
      rule: expect.stringContaining('a delivery report for nothing that was sent from here'),
    });
  });

  test('duty-7: goes to the inbox where it was', async () => {
    const reception = new TestReception({ ...inbound, sent: [ours] });
    await reception.send(letter);
    expect(reception.accepted[0]?.jobs[0]?.folder).toBe('Inbox');
  });

  test('goes to the inbox where no dossier is kept: nobody knows', async () => {
    const reception = new TestReception({ ...inbound, withoutDossiers: true });
    await reception.send(letter);
    expect(reception.accepted[0]?.jobs[0]?.folder).toBe('Inbox');
  });
});

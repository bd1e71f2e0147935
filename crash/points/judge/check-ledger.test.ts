import { expect, test } from 'vitest';
import type { LogRecord } from '../../recorder/log.ts';
import type { Known } from '../recording.ts';
import { type Letter, octetsOf } from '../script/letters.ts';
import { checkLedger } from './check-ledger.ts';

const alice = 'alice@example.com';
const friend = 'friend@example.net';
const letter: Letter = { token: 'crash-test-0', from: alice, to: [alice, friend], bodyBytes: 100 };
const ports = { smtp: 25, pop3: 110, remote: 2525 };

const said = (recipient: string): LogRecord => ({
  kind: 'said',
  process: 1,
  descriptor: 2,
  octets: Buffer.from(`${JSON.stringify({ queueId: '01AB', recipient, msg: 'delivered' })}\n`),
});

function words(
  kind: 'sent' | 'heard',
  [port, peerPort]: [number, number],
  octets: Buffer | string,
): LogRecord {
  return { kind, process: 1, connection: port, port, peerPort, octets: Buffer.from(octets) };
}

/** A letter to a mailbox and to the remote server, with this answer to its end. */
const played = (answer: string): LogRecord[] => [
  words('heard', [ports.smtp, 50_000], octetsOf(letter)),
  words('sent', [ports.smtp, 50_000], answer),
  words('heard', [50_001, ports.remote], `250 2.0.0 Taken ${letter.token} for ${friend}\r\n`),
  said(alice),
  said(friend),
];

const check = (records: LogRecord[], known: Partial<Known> = {}) =>
  checkLedger({
    scene: 'test',
    ports,
    records,
    known: { acknowledged: [letter.token], accounts: [], deleted: [], taken, ...known },
  });

/** What the remote server has taken. */
const taken = [{ token: letter.token, recipients: [friend] }];

const acknowledged = '250 2.0.0 Queued as 01AB\r\n';

test('checkLedger() is content where the ledger knows what the script knows', () => {
  expect(() => check(played(acknowledged))).not.toThrow();
});

test.each([
  ['a 250 in words that are not known', played('250 Ok: 01AB\r\n'), {}, /the 250 to crash-test-0/],
  ['a delivery that the log tells', played(acknowledged).slice(0, -1), {}, /1 deliveries in the log/],
  [
    'a reply of the remote server',
    played(acknowledged).toSpliced(2, 1),
    {},
    /the reply to crash-test-0 to friend/,
  ],
  ['an account', played(acknowledged), { accounts: [alice] }, /account alice@example.com/],
  ['a deletion', played(acknowledged), { deleted: [letter.token] }, /deletion of crash-test-0/],
  ['everything', [], { acknowledged: [] }, /no message was acknowledged/],
])('checkLedger() throws where the ledger has missed %s', (_, records, known, message) => {
  expect(() => check(records, known)).toThrow(message);
});

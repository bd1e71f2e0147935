import { expect, test } from 'vitest';
import type { LogRecord, WordsRecord } from '../../recorder/log.ts';
import { type Findings, type FoundMail, nothingFound } from '../restart/findings.ts';
import { type Letter, octetsOf } from '../script/letters.ts';
import { Judge } from './judge.ts';
import { Ledger } from './ledger.ts';

const alice = 'alice@example.com';
const letter: Letter = {
  token: 'crash-test-0',
  from: alice,
  to: [alice, 'friend@example.net', 'nobody@example.net'],
  bodyBytes: 100,
};
const queueId = '01ABCDEFGH0000';
const ports = { smtp: 25, pop3: 110, remote: 2525 };

const words = (kind: 'sent' | 'heard', port: number, text: string, process = 1): LogRecord =>
  ({
    kind,
    process,
    connection: port,
    port,
    peerPort: 50_000,
    octets: Buffer.from(text),
  }) satisfies WordsRecord & {
    process: number;
  };
const toRemote = (kind: 'sent' | 'heard', text: string, process = 1): LogRecord => ({
  ...words(kind, 50_001, text, process),
  ...{ peerPort: ports.remote },
});
const said = (fields: object): LogRecord => ({
  kind: 'said',
  process: 1,
  descriptor: 2,
  octets: Buffer.from(`${JSON.stringify(fields)}\n`),
});

const content = octetsOf(letter).toString('latin1');
const accepted = [
  words('heard', ports.smtp, content),
  words('sent', ports.smtp, `250 2.0.0 Queued as ${queueId}\r\n`),
];
const sentOn = [
  toRemote('sent', 'MAIL FROM:<a@example.com>\r\nRCPT TO:<friend@example.net>\r\nDATA\r\n'),
  toRemote('sent', content),
];
const taken = toRemote('heard', `250 2.0.0 Taken ${letter.token} for friend@example.net\r\n`);

function ledgerOf(...records: LogRecord[]): Ledger {
  const ledger = new Ledger(ports);
  for (const record of records) ledger.follow(record);
  return ledger;
}

function stored(text: string, name = '1'): FoundMail {
  const octets = Buffer.from(text.replaceAll('\r\n', '\n'), 'latin1');
  return { account: alice, name: `${name}.${queueId}_0.host,S=${octets.length}`, octets };
}

const inMailbox = stored(`Return-Path: <${alice}>\r\n${content}`);
const report = stored(`Content-Type: multipart/report\r\n\r\nSubject: ${letter.token}\r\n`, '2');
const sentAgain = {
  token: letter.token,
  recipients: ['friend@example.net'],
  octets: Buffer.from(`Received: …\r\n${content}`),
};
const whole: Findings = { ...nothingFound, check: 'ok', mail: [inMailbox, report], sent: [sentAgain] };

const judge = new Judge([letter]);
const judged = (ledger: Ledger, findings: Findings) =>
  judge.judge(ledger, judge.examine(findings)).map(({ wrong, text }) => `${wrong}: ${text}`);

test('all is well where every recipient has what is due', () => {
  expect(judged(ledgerOf(...accepted), whole)).toEqual([]);
});

test('what was not acknowledged may be there or not', () => {
  expect(judged(ledgerOf(), whole)).toEqual([]);
  expect(judged(ledgerOf(), { ...whole, mail: [], sent: [] })).toEqual([]);
});

test('what was acknowledged and is nowhere is missing, for each recipient', () => {
  expect(judged(ledgerOf(...accepted), { ...whole, mail: [], sent: [] })).toEqual([
    `missing: ${letter.token} to ${alice}: not in the mailbox`,
    `missing: ${letter.token} to friend@example.net: neither sent nor queued`,
    `missing: the report on ${letter.token} to ${alice}: not in the mailbox`,
  ]);
});

test('a file that ends early, or in zeros, is half a message', () => {
  for (const octets of [inMailbox.octets.subarray(0, 300), Buffer.alloc(inMailbox.octets.length)]) {
    const [first] = judged(ledgerOf(), { ...whole, mail: [{ ...inMailbox, octets }] });
    expect(first).toMatch(/^half: /);
  }
});

test('two files are two messages, but not two names of one', () => {
  const moved = { ...inMailbox, name: `${inMailbox.name}:2,S` };
  expect(judged(ledgerOf(...accepted), { ...whole, mail: [...whole.mail, moved] })).toEqual([]);
  const other = stored(inMailbox.octets.toString('latin1'), '3');
  expect(judged(ledgerOf(...accepted), { ...whole, mail: [...whole.mail, other] })).toEqual([
    `twice: ${letter.token} to ${alice}: 2 messages in the mailbox`,
  ]);
});

test('what was in flight may be sent again if the dossier calls it in doubt', () => {
  const ledger = ledgerOf(...accepted, ...sentOn, taken);
  expect(judged(ledger, whole)).toEqual([
    `twice: ${letter.token} to friend@example.net: sent again, and the dossier does not call it in doubt`,
  ]);
  const dossiers = new Map([[queueId, [{ event: 'inDoubt', recipient: 'friend@example.net' }]]]);
  expect(judged(ledger, { ...whole, dossiers })).toEqual([]);
  expect(judged(ledger, { ...whole, dossiers, sent: [sentAgain, sentAgain] })).toHaveLength(1);
});

test('what the log has called delivered is not sent again, and the dossier says so too', () => {
  const told = said({ queueId, recipient: 'friend@example.net', msg: 'delivered' });
  const ledger = ledgerOf(...accepted, ...sentOn, taken, told);
  expect(judged(ledger, whole)).toEqual([
    `undone: ${queueId} to friend@example.net was delivered, but its dossier does not say so`,
    expect.stringContaining('with 0 attempts interrupted'),
  ]);
  const dossiers = new Map([[queueId, [{ event: 'delivered', recipient: 'friend@example.net' }]]]);
  expect(judged(ledger, { ...whole, dossiers, sent: [] })).toEqual([]);
});

test('a run that was killed counts as an interruption of what was in flight', () => {
  const ledger = ledgerOf(...accepted, ...sentOn, taken, words('sent', ports.smtp, '220 hello\r\n', 2));
  expect(judged(ledger, whole)).toEqual([]);
});

test('an account and a deletion that were confirmed stay', () => {
  const pop3 = [
    words('heard', ports.pop3, 'RETR 1\r\n'),
    words('sent', ports.pop3, content),
    words('heard', ports.pop3, 'DELE 1\r\n'),
    words('sent', ports.pop3, '+OK\r\n'),
    words('heard', ports.pop3, 'QUIT\r\n'),
  ];
  const account: LogRecord = {
    kind: 'said',
    process: 1,
    descriptor: 1,
    octets: Buffer.from(`${alice}: done\n`),
  };
  const asked = ledgerOf(...accepted, ...pop3);
  expect(judged(asked, whole)).toEqual([]);
  const confirmed = ledgerOf(...accepted, ...pop3, words('sent', ports.pop3, '+OK bye\r\n'), account);
  expect(judged(confirmed, { ...whole, mail: [report] })).toEqual([
    `undone: the account ${alice} is gone`,
    `undone: the report on ${letter.token} to ${alice}: deleted, and there again`,
  ]);
});

test('a server that does not start, and what it leaves lying about, are wrong whatever was promised', () => {
  expect(judged(ledgerOf(), { ...nothingFound, failure: 'no' })).toEqual(['start: no']);
  expect(judged(ledgerOf(), { ...whole, check: 'bad page', spool: ['x'], unfinished: [alice] })).toEqual([
    'start: quick_check says bad page',
    `start: a job to ${alice} does not end`,
    'rubbish: spool/x belongs to nothing',
  ]);
});

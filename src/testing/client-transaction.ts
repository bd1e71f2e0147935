/** For tests of the asking side of SMTP: plays one transaction against a script. */

import { expect } from 'vitest';
import { socketDialler } from '../net/conversation.ts';
import { openSession } from '../smtp/client.ts';
import type { Session } from '../smtp/client-session.ts';
import { sendTransaction } from '../smtp/client-transaction.ts';
import type { Verdict } from '../smtp/client-verdict.ts';
import type { Transaction } from '../smtp/transaction.ts';
import type { Clock } from '../util/clock.ts';
import { type ScriptedPeer, scriptedPeer } from './scripted-peer.ts';

/** A clock that strikes when the peer falls silent: every wait is over at once. */
const timers = new Set<() => void>();
const clock: Clock = {
  now: Date.now,
  after(_, action) {
    timers.add(action);
    return () => timers.delete(action);
  },
};
export const onQuiet = () => {
  for (const strike of timers) strike();
};
const dial = socketDialler({ clock });

export const letter: Transaction = {
  reversePath: 'a@example.com',
  recipients: ['b@example.net', 'c@example.net'],
  sizeBytes: 30,
  smtputf8: false,
  content: () => [Buffer.from('Subject: hello\r\n\r\n'), Buffer.from('.dotted\r\n')],
};

export async function open(peer: ScriptedPeer, call = dial): Promise<Session> {
  const conversation = await call(peer.endpoint, { timeoutMs: 1000 });
  const opening = await openSession(conversation, { ehloName: 'mx.example.com' });
  if ('verdict' in opening) throw new Error('no session');
  return opening.session;
}

/** `mail 250`, or `closed` where the connection failed. */
export function brief(verdict: Verdict): string {
  return `${verdict.phase.replace('sending ', '')}: ${outcomeOf(verdict)}`;
}

function outcomeOf(verdict: Verdict): string | number {
  if (verdict.by === 'reply') return verdict.reply.code;
  if (verdict.by === 'connection') return verdict.error.kind;
  return verdict.by === 'policy' ? verdict.fault.type : verdict.status;
}

export const greeting = (...extensions: string[]) =>
  [
    'S: 220 mx',
    'C: EHLO …',
    ...extensions.map((each) => `S: 250-${each}`).toSpliced(0, 0, 'S: 250-mx'),
    'S: 250 HELP',
  ].join('\n');

/** Plays one transaction against a script, whole and octet by octet; returns the verdicts in brief. */
export async function play(extensions: string[], script: string, transaction: Partial<Transaction> = {}) {
  const results: string[][] = [];
  for (const byteByByte of [false, true]) {
    await using peer = await scriptedPeer([`${greeting(...extensions)}\n${script}`], { byteByByte, onQuiet });
    const verdicts = await sendTransaction(await open(peer), { ...letter, ...transaction });
    results.push(verdicts.map(brief));
  }
  expect(results[1]).toEqual(results[0]);
  return results[0];
}

/** What goes out at once where PIPELINING is offered. */
export const pipelined = 'C: MAIL …\nC: RCPT …\nC: RCPT …\nC: DATA';

import { describe, expect, it } from 'vitest';
import { socketDialler } from '../net/conversation.ts';
import { type ScriptedPeer, scriptedPeer } from '../testing/scripted-peer.ts';
import type { Clock } from '../util/clock.ts';
import { openSession, type Session } from './client.ts';
import { sendTransaction, type Transaction } from './client-transaction.ts';
import type { Verdict } from './client-verdict.ts';

/** A clock that strikes when the peer falls silent: every wait is over at once. */
const timers = new Set<() => void>();
const clock: Clock = {
  now: Date.now,
  after(_, action) {
    timers.add(action);
    return () => timers.delete(action);
  },
};
const onQuiet = () => {
  for (const strike of timers) strike();
};
const dial = socketDialler({ clock });

const letter: Transaction = {
  reversePath: 'a@example.com',
  recipients: ['b@example.net', 'c@example.net'],
  sizeBytes: 30,
  smtputf8: false,
  content: () => [Buffer.from('Subject: hello\r\n\r\n'), Buffer.from('.dotted\r\n')],
};

async function open(peer: ScriptedPeer): Promise<Session> {
  const conversation = await dial(peer.endpoint, { timeoutMs: 1000 });
  const opening = await openSession(conversation, { ehloName: 'mx.example.com' });
  if ('verdict' in opening) throw new Error('no session');
  return opening.session;
}

/** `mail 250`, or `closed` where the connection failed. */
function brief(verdict: Verdict): string {
  return `${verdict.phase.replace('sending ', '')}: ${outcomeOf(verdict)}`;
}

function outcomeOf(verdict: Verdict): string | number {
  if (verdict.by === 'reply') return verdict.reply.code;
  if (verdict.by === 'connection') return verdict.error.kind;
  return verdict.by === 'policy' ? verdict.fault.type : verdict.status;
}

const greeting = (...extensions: string[]) =>
  [
    'S: 220 mx',
    'C: EHLO …',
    ...extensions.map((each) => `S: 250-${each}`).toSpliced(0, 0, 'S: 250-mx'),
    'S: 250 HELP',
  ].join('\n');

/** Plays one transaction against a script, whole and octet by octet; returns the verdicts in brief. */
async function play(extensions: string[], script: string, transaction: Partial<Transaction> = {}) {
  const results: string[][] = [];
  for (const byteByByte of [false, true]) {
    await using peer = await scriptedPeer([`${greeting(...extensions)}\n${script}`], { byteByByte, onQuiet });
    const verdicts = await sendTransaction(await open(peer), { ...letter, ...transaction });
    results.push(verdicts.map(brief));
  }
  expect(results[1]).toEqual(results[0]);
  return results[0];
}

describe('sendTransaction() step by step', () => {
  it('sends one command at a time and the message with its dots doubled', async () => {
    await using peer = await scriptedPeer([
      `${greeting()}
       C: MAIL FROM:<a@example.com>
       S: 250 ok
       C: RCPT TO:<b@example.net>
       S: 250 ok
       C: RCPT TO:<c@example.net>
       S: 250 ok
       C: DATA
       S: 354 go on
       C: (message)
       S: 250 2.0.0 taken`,
    ]);
    const session = await open(peer);
    const verdicts = await sendTransaction(session, letter);
    expect(verdicts.map(brief)).toEqual(['end of data: 250', 'end of data: 250']);
    expect(peer.messages).toEqual(['Subject: hello\r\n\r\n..dotted\r\n.\r\n']);
    session.conversation.close();
    await peer.played();
  });

  it('reports each recipient separately', async () => {
    const script = `
      C: MAIL …
      S: 250 ok
      C: RCPT TO:<b@example.net>
      S: 550 5.1.1 unknown
      C: RCPT TO:<c@example.net>
      S: 250 ok
      C: DATA
      S: 354 go on
      C: (message)
      S: 250 taken`;
    expect(await play([], script)).toEqual(['RCPT TO: 550', 'end of data: 250']);
  });

  it('does not say DATA when nobody was accepted', async () => {
    const script = `
      C: MAIL …
      S: 250 ok
      C: RCPT …
      S: 550 no
      C: RCPT …
      S: 450 later`;
    expect(await play([], script)).toEqual(['RCPT TO: 550', 'RCPT TO: 450']);
  });

  it.each([
    ['MAIL', 'C: MAIL …\nS: 452 full', 'MAIL FROM: 452'],
    [
      'DATA',
      'C: MAIL …\nS: 250 ok\nC: RCPT …\nS: 250 ok\nC: RCPT …\nS: 250 ok\nC: DATA\nS: 554 no',
      'DATA: 554',
    ],
  ])('gives the refusal of %s to all recipients', async (_, script, verdict) => {
    expect(await play([], script)).toEqual([verdict, verdict]);
  });
});

const pipelined = 'C: MAIL …\nC: RCPT …\nC: RCPT …\nC: DATA';

describe('sendTransaction() with PIPELINING', () => {
  it('sends the envelope and DATA at once', async () => {
    const script = `${pipelined}
      S: 250 ok
      S: 250 ok
      S: 550 5.1.1 unknown
      S: 354 go on
      C: (message)
      S: 250 taken`;
    expect(await play(['PIPELINING'], script)).toEqual(['end of data: 250', 'RCPT TO: 550']);
  });

  it('reads all replies after MAIL was refused', async () => {
    const script = `${pipelined}
      S: 550 5.7.1 not you
      S: 503 no MAIL
      S: 503 no MAIL
      S: 503 no RCPT`;
    expect(await play(['PIPELINING'], script)).toEqual(['MAIL FROM: 550', 'MAIL FROM: 550']);
  });

  it('sends a lone dot where DATA is let through without recipients', async () => {
    await using peer = await scriptedPeer([
      `${greeting('PIPELINING')}
       ${pipelined}
       S: 250 ok
       S: 550 no
       S: 550 no
       S: 354 go on
       C: .
       S: 554 no recipients`,
    ]);
    const session = await open(peer);
    const verdicts = await sendTransaction(session, letter);
    expect(verdicts.map(brief)).toEqual(['RCPT TO: 550', 'RCPT TO: 550']);
    expect([session.conversation.quiet, session.needsReset]).toEqual([true, false]);
    session.conversation.close();
    await peer.played();
  });

  it('not-2: sends RSET before the next message where a transaction was left open', async () => {
    await using peer = await scriptedPeer([
      `${greeting('PIPELINING')}
       ${pipelined}
       S: 250 ok
       S: 250 ok
       S: 250 ok
       S: 451 not now
       C: RSET
       C: MAIL FROM:<a@example.com>
       C: RCPT TO:<d@example.net>
       C: DATA
       S: 250 reset
       S: 250 ok
       S: 250 ok
       S: 354 go on
       C: (message)
       S: 250 taken`,
    ]);
    const session = await open(peer);
    await sendTransaction(session, letter);
    const second = await sendTransaction(session, { ...letter, recipients: ['d@example.net'] });
    expect(second.map(brief)).toEqual(['end of data: 250']);
    session.conversation.close();
    await peer.played();
  });

  it('not-2: names only its own recipients in the second message of a connection', async () => {
    const taken = 'S: 250 ok\nS: 250 ok\nS: 354 go on\nC: (message)\nS: 250 taken';
    await using peer = await scriptedPeer([
      `${greeting('PIPELINING')}
       C: MAIL …
       C: RCPT TO:<b@example.net>
       C: DATA
       ${taken}
       C: MAIL …
       C: RCPT TO:<c@example.net>
       C: DATA
       ${taken}`,
    ]);
    const session = await open(peer);
    await sendTransaction(session, { ...letter, recipients: ['b@example.net'] });
    await sendTransaction(session, { ...letter, recipients: ['c@example.net'] });
    session.conversation.close();
    await peer.played();
  });
});

describe('sendTransaction() and the final dot', () => {
  const accepted = `${pipelined}\nS: 250 ok\nS: 250 ok\nS: 250 ok\nS: 354 go on\nC: (message)`;

  it.each([['250'], ['451'], ['554']])('not-1: the reply to it (%s) is what counts', async (code) => {
    const verdict = `end of data: ${code}`;
    expect(await play(['PIPELINING'], `${accepted}\nS: ${code} x`)).toEqual([verdict, verdict]);
  });

  it.each([
    ['closed', '== hang up'],
    ['timeout', '== quiet'],
    ['protocol', 'S: eh?'],
    ['protocol', 'S: 354 go on'],
  ])('not-1: a connection that fails there (%s) is no delivery', async (kind, end) => {
    const verdict = `end of data: ${kind}`;
    expect(await play(['PIPELINING'], `${accepted}\n${end}`)).toEqual([verdict, verdict]);
  });
});

describe('sendTransaction() when the connection fails', () => {
  const wellSoFar = [
    'C: MAIL …',
    'S: 250 ok',
    'C: RCPT …',
    'S: 250 ok',
    'C: RCPT …',
    'S: 250 ok',
    'C: DATA',
    'S: 354 go',
  ];
  it.each([
    [1, 'MAIL FROM'],
    [3, 'RCPT TO'],
    [5, 'RCPT TO'],
    [7, 'DATA'],
  ])('names the phase (after line %i of the dialogue: %s)', async (lines, phase) => {
    for (const [end, kind] of [
      ['== hang up', 'closed'],
      ['== reset', 'closed'],
      ['== quiet', 'timeout'],
      ['S: 421 4.3.2 stopping', 'closing'],
      ['S: what', 'protocol'],
    ]) {
      const script = [...wellSoFar.slice(0, lines), end].join('\n');
      expect(await play([], script)).toEqual([`${phase}: ${kind}`, `${phase}: ${kind}`]);
    }
  });

  it('keeps the verdict of a recipient who was refused before', async () => {
    const script = 'C: MAIL …\nS: 250 ok\nC: RCPT …\nS: 550 no\nC: RCPT …\n== hang up';
    expect(await play([], script)).toEqual(['RCPT TO: 550', 'RCPT TO: closed']);
  });

  it('takes 250 to DATA for a protocol error, not for a delivery', async () => {
    const script = `${pipelined}\nS: 250 ok\nS: 250 ok\nS: 250 ok\nS: 250 what?`;
    expect(await play(['PIPELINING'], script)).toEqual(['DATA: protocol', 'DATA: protocol']);
  });

  it('reads why the receiver hung up in the middle of the message', async () => {
    const block = Buffer.alloc(65_536, 'x');
    async function* endless() {
      for (;;) yield await Promise.resolve(block);
    }
    const script = `${pipelined}\nS: 250 ok\nS: 250 ok\nS: 250 ok\nS: 354 go on\nS! 552 5.3.4 too big\n== hang up`;
    await using peer = await scriptedPeer([`${greeting('PIPELINING')}\n${script}`]);
    const verdicts = await sendTransaction(await open(peer), { ...letter, content: endless });
    expect(verdicts.map(brief)).toEqual(['the message: 552', 'the message: 552']);
  });

  it('never ends a message that could not be read to its end', async () => {
    async function* broken() {
      yield await Promise.resolve(Buffer.from('Subject: half\r\n\r\n'));
      throw new Error('disk on fire');
    }
    const script = `${pipelined}\nS: 250 ok\nS: 250 ok\nS: 250 ok\nS: 354 go on\nC: (message)`;
    await using peer = await scriptedPeer([`${greeting('PIPELINING')}\n${script}`]);
    const session = await open(peer);
    const verdicts = await sendTransaction(session, { ...letter, content: broken });
    expect(verdicts.map(brief)).toEqual(['the message: content', 'the message: content']);
    await expect(peer.played()).rejects.toThrow('The client went away');
    expect(peer.messages).toEqual([]);
  });
});

describe('sendTransaction() and extensions', () => {
  const all = ['PIPELINING', 'SIZE 1000', '8BITMIME', 'SMTPUTF8'];
  const rest =
    'C: RCPT …\nC: RCPT …\nC: DATA\nS: 250 ok\nS: 250 ok\nS: 250 ok\nS: 354 go on\nC: (message)\nS: 250 taken';
  const utf8 = { smtputf8: true };

  it('M5: uses SIZE and 8BITMIME where they are offered, and SMTPUTF8 where it was declared too', async () => {
    const delivered = ['end of data: 250', 'end of data: 250'];
    const mail = 'C: MAIL FROM:<a@example.com>';
    expect(await play(all, `${mail} SIZE=30 BODY=8BITMIME SMTPUTF8\n${rest}`, utf8)).toEqual(delivered);
    expect(await play(all, `${mail} SIZE=30 BODY=8BITMIME\n${rest}`)).toEqual(delivered);
    expect(await play(['PIPELINING'], `${mail}\n${rest}`, utf8)).toEqual(delivered);
  });

  it('M5: does not send what is larger than the receiver says it takes', async () => {
    expect(await play(['SIZE 29'], '')).toEqual(
      Array(2).fill('comparing the message with what the receiver offers: 5.3.4'),
    );
    expect(await play(['SIZE 0', 'PIPELINING'], `C: MAIL …\n${rest}`)).toEqual(
      Array(2).fill('end of data: 250'),
    );
  });

  it('M5: sends 8-bit content as it is where 8BITMIME is not offered', async () => {
    await using peer = await scriptedPeer([
      `${greeting('PIPELINING')}\nC: MAIL FROM:<a@example.com>\n${rest}`,
    ]);
    const content = () => [Buffer.from('\r\nGrüße\r\n')];
    await sendTransaction(await open(peer), { ...letter, content });
    expect(peer.messages).toEqual(['\r\nGrüße\r\n.\r\n']);
  });

  const unmet = 'comparing the message with what the receiver offers: 5.6.7';
  it('refuses internationalized mail where SMTPUTF8 is not offered', async () => {
    const header = () => [Buffer.from('Subject: Grü'), Buffer.from('ße\r\n\r\nhello\r\n')];
    for (const needs of [{ reversePath: 'jürgen@example.com' }, { content: header }]) {
      expect(await play([], '', { ...needs, smtputf8: true })).toEqual([unmet, unmet]);
    }
  });

  it('M1: writes domains in A-labels where SMTPUTF8 is not offered, or was not declared', async () => {
    const script =
      'C: MAIL FROM:<a@xn--bcher-kva.example>\nC: RCPT TO:<b@xn--bcher-kva.example>\nC: DATA\nS: 250 ok\nS: 250 ok\nS: 354 go on\nC: (message)\nS: 250 ok';
    const paths = { reversePath: 'a@bücher.example', recipients: ['b@bücher.example'] };
    const taken = ['end of data: 250'];
    expect(await play(['PIPELINING'], script, { ...paths, smtputf8: true })).toEqual(taken);
    expect(await play(['PIPELINING', 'SMTPUTF8'], script, { ...paths, smtputf8: false })).toEqual(taken);
  });

  it('refuses only the recipients who need SMTPUTF8 where it is not offered', async () => {
    const script =
      'C: MAIL FROM:<a@example.com>\nC: RCPT TO:<b@example.net>\nC: DATA\nS: 250 ok\nS: 250 ok\nS: 354 go on\nC: (message)\nS: 250 ok';
    const recipients = ['jürgen@example.net', 'b@example.net'];
    expect(await play(['PIPELINING'], script, { recipients, smtputf8: true })).toEqual([
      unmet,
      'end of data: 250',
    ]);
  });
});

describe('sendTransaction() with DSN', () => {
  const asking: Partial<Transaction> = {
    requests: { ret: 'headers', envid: 'QQ 1+1' },
    recipientRequests: [
      { notify: ['success', 'failure'], orcpt: 'rfc822;B+2Bx@example.org' },
      { orcpt: 'utf-8;bücher@example.org' },
    ],
  };

  it('passes on what was asked for where DSN is offered (RFC 3461 §5.2.1)', async () => {
    const script = `
      C: MAIL FROM:<a@example.com> RET=HDRS ENVID=QQ+201+2B1
      S: 250 ok
      C: RCPT TO:<b@example.net> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;B+2Bx@example.org
      S: 250 ok
      C: RCPT TO:<c@example.net> ORCPT=utf-8;b\\x{FC}cher@example.org
      S: 250 ok
      C: DATA
      S: 354 go on
      C: (message)
      S: 250 taken`;
    expect(await play(['DSN'], script, asking)).toEqual(['end of data: 250', 'end of data: 250']);
  });

  it('passes nothing on where it is not (§5.2.2 a)', async () => {
    const script = `
      C: MAIL FROM:<a@example.com>
      S: 250 ok
      C: RCPT TO:<b@example.net>
      S: 250 ok
      C: RCPT TO:<c@example.net>
      S: 250 ok
      C: DATA
      S: 354 go on
      C: (message)
      S: 250 taken`;
    expect(await play([], script, asking)).toEqual(['end of data: 250', 'end of data: 250']);
  });

  it('leaves an ORCPT in UTF-8 as it is in mail that is internationalized', async () => {
    const script = `
      C: MAIL FROM:<a@example.com> SMTPUTF8 RET=HDRS ENVID=QQ+201+2B1
      S: 250 ok
      C: RCPT TO:<b@example.net> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;B+2Bx@example.org
      S: 250 ok
      C: RCPT TO:<c@example.net> ORCPT=utf-8;bücher@example.org
      S: 554 no more`;
    const verdicts = await play(
      ['DSN', 'SMTPUTF8'],
      `${script.replace(/S: 250 ok\n\s+C: RCPT TO:<c/, 'S: 554 no\n C: RCPT TO:<c')}`,
      { ...asking, smtputf8: true },
    );
    expect(verdicts).toEqual(['RCPT TO: 554', 'RCPT TO: 554']);
  });
});

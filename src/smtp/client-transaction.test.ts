import { describe, expect, it } from 'vitest';
import { socketDialler } from '../net/conversation.ts';
import { type ScriptedPeer, scriptedPeer } from '../testing/scripted-peer.ts';
import { type Clock, systemClock } from '../util/clock.ts';
import { openSession, type Session } from './client.ts';
import { chunkBytes } from './client-content.ts';
import { defaultTimeouts } from './client-timeouts.ts';
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

async function open(peer: ScriptedPeer, call = dial): Promise<Session> {
  const conversation = await call(peer.endpoint, { timeoutMs: 1000 });
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
    const sender = { reversePath: 'jürgen@example.com', smtputf8: true };
    expect(await play([], '', sender)).toEqual([unmet, unmet]);
    const ofHeader = unmet.replace('5.6.7', '5.6.9');
    expect(await play([], '', { content: header, smtputf8: true })).toEqual([ofHeader, ofHeader]);
    const recipients = ['jürgen@example.net', 'b@example.net'];
    expect(await play([], '', { recipients, content: header, smtputf8: true })).toEqual([unmet, ofHeader]);
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

  it('says REQUIRETLS only where it is offered: over a Unix socket it need not be', async () => {
    const script = (parameter: string) => `
      C: MAIL FROM:<a@example.com>${parameter}
      S: 250 ok
      C: RCPT TO:<b@example.net>
      S: 250 ok
      C: DATA
      S: 354 go on
      C: (message)
      S: 250 taken`;
    const requiring: Partial<Transaction> = { recipients: ['b@example.net'], requests: { requireTls: true } };
    expect(await play(['REQUIRETLS'], script(' REQUIRETLS'), requiring)).toEqual(['end of data: 250']);
    expect(await play([], script(''), requiring)).toEqual(['end of data: 250']);
  });

  it('passes on the time that is left, and the priority, where they are offered (RFC 2852, RFC 6710)', async () => {
    const script = (parameters: string) => `
      C: MAIL FROM:<a@example.com>${parameters}
      S: 250 ok
      C: RCPT TO:<b@example.net>
      S: 250 ok
      C: DATA
      S: 354 go on
      C: (message)
      S: 250 taken`;
    const recipients = ['b@example.net'];
    const urgent: Partial<Transaction> = {
      recipients,
      requests: { by: { seconds: 90, mode: 'R' }, priority: 4 },
    };
    const offered = ['DELIVERBY 60', 'MT-PRIORITY'];
    expect(await play(offered, script(' BY=90;R MT-PRIORITY=4'), urgent)).toEqual(['end of data: 250']);
    expect(await play([], script(''), urgent)).toEqual(['end of data: 250']);
    expect(await play(['DELIVERBY 240'], '', urgent)).toEqual([
      'comparing the message with what the receiver offers: 5.4.7',
    ]);
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

describe('sendTransaction() to a receiver without 8BITMIME', () => {
  const copy = { content: () => [Buffer.from('Subject: x\r\n\r\nGr=C3=BC=C3=9Fe\r\n')], sizeBytes: 29 };
  const script = `${pipelined.replace('MAIL …', 'MAIL FROM:<a@example.com> SIZE=29')}
    S: 250 ok
    S: 250 ok
    S: 250 ok
    S: 354 go on
    C: (message)
    S: 250 taken`;

  it('sends the copy in 7 bits (RFC 6152 §3)', async () => {
    await using peer = await scriptedPeer([`${greeting('PIPELINING', 'SIZE')}\n${script}`]);
    const session = await open(peer);
    const verdicts = await sendTransaction(session, { ...letter, inSevenBit: async () => copy });
    expect(verdicts.map(brief)).toEqual(['end of data: 250', 'end of data: 250']);
    expect(peer.messages).toEqual([`${copy.content()}.\r\n`]);
  });

  it('says 5.6.3 where there is none', async () => {
    const inSevenBit = async () => ({ reason: 'signed' });
    const unmet = 'comparing the message with what the receiver offers: 5.6.3';
    expect(await play([], '', { inSevenBit })).toEqual([unmet, unmet]);
  });

  it('tells that our copy cannot be read', async () => {
    const inSevenBit = () => Promise.reject(new Error('disk'));
    const unread = 'comparing the message with what the receiver offers: content';
    expect(await play([], '', { inSevenBit })).toEqual([unread, unread]);
  });

  it.each([['8BITMIME'], ['SMTPUTF8']])('asks for no copy where %s is offered', async (extension) => {
    const inSevenBit = () => Promise.reject(new Error('asked'));
    const mail = 'C: MAIL …\nS: 554 no';
    expect(await play([extension], mail, { inSevenBit, smtputf8: true })).toEqual([
      'MAIL FROM: 554',
      'MAIL FROM: 554',
    ]);
  });
});

describe('sendTransaction() with CHUNKING', () => {
  const octets = Buffer.from('.A line that begins with a dot and ends with CRLF\r\n'.repeat(50_000));
  const rest = octets.length - 2 * chunkBytes;
  const large: Partial<Transaction> = {
    recipients: ['b@example.net'],
    sizeBytes: octets.length,
    content: () => [octets.subarray(0, 100), octets.subarray(100, 1_500_000), octets.subarray(1_500_000)],
  };
  const begun = 'C: MAIL …\nC: RCPT …\nS: 250 ok\nS: 250 ok';
  const first = `${begun}\nC: BDAT ${chunkBytes}\nC: (${chunkBytes} octets)`;
  const second = `S: 250 ok\nC: BDAT ${chunkBytes}\nC: (${chunkBytes} octets)`;
  const last = `S: 250 ok\nC: BDAT ${rest} LAST\nC: (${rest} octets)`;

  /** Plays one large message; resolves to verdict, flaw, whether the connection still stands, and what arrived. */
  async function chunked(script: string, changes: Partial<Transaction> = {}) {
    await using peer = await scriptedPeer([`${greeting('PIPELINING', 'CHUNKING')}\n${script}`], { onQuiet });
    const session = await open(peer);
    const [verdict] = await sendTransaction(session, { ...letter, ...large, ...changes });
    if (verdict === undefined) throw new Error('no verdict');
    const flaw = verdict.by === 'connection' ? verdict.flaw : undefined;
    return { verdict: brief(verdict), flaw, stands: session.conversation.quiet, messages: peer.messages };
  }

  it('sends a large message in chunks, octet for octet; the reply to the last is about the message (RFC 3030 §2)', async () => {
    const { verdict, stands, messages } = await chunked(`${first}\n${second}\n${last}\nS: 250 2.0.0 taken`);
    expect([verdict, stands]).toEqual(['end of data: 250', true]);
    expect(messages).toHaveLength(1);
    expect(messages[0] === octets.toString('latin1')).toBe(true);
  });

  it('not-1: the refusal of the last chunk is a refusal', async () => {
    const { verdict, stands } = await chunked(`${first}\n${second}\n${last}\nS: 554 5.7.1 no`);
    expect([verdict, stands]).toEqual(['end of data: 554', true]);
  });

  it('not-1: a chunk that is refused ends message and connection: nothing follows that could be its rest', async () => {
    const { verdict, stands } = await chunked(`${first}\nS: 552 5.3.4 too large`);
    expect([verdict, stands]).toEqual(['the message: 552', false]);
  });

  it('is in doubt only once the last octets have gone out', async () => {
    expect(await chunked(`${first}\n== hang up`)).toMatchObject({ verdict: 'the message: closed' });
    const lost = await chunked(`${first}\n${second}\n${last}\n== hang up`);
    expect(lost).toMatchObject({ verdict: 'end of data: closed' });
  });

  it('takes 3xx for no answer to a chunk', async () => {
    const { verdict, stands } = await chunked(`${first}\nS: 354 go on`);
    expect([verdict, stands]).toEqual(['the message: protocol', false]);
  });

  it.each(['500 what?', '502 5.5.1 no', '503 5.5.1 not now'])(
    'notes that BDAT is not known: %s',
    async (words) => {
      const { verdict, flaw } = await chunked(`${first}\nS: ${words}`);
      expect([verdict, flaw]).toEqual(['the message: protocol', 'CHUNKING']);
    },
  );

  it('sends no chunk when nobody was accepted', async () => {
    const script = 'C: MAIL …\nC: RCPT …\nS: 250 ok\nS: 550 5.1.1 no';
    expect(await chunked(script)).toMatchObject({ verdict: 'RCPT TO: 550', stands: true });
  });

  it('never lets the end out of a message that cannot be read to its end', async () => {
    async function* broken() {
      yield octets.subarray(0, 10);
      yield octets.subarray(10, chunkBytes + 10);
      throw new Error('damaged');
    }
    const script = `${begun}\nC: BDAT ${chunkBytes}\nC: (10 octets)`;
    const { verdict, stands } = await chunked(script, { content: broken });
    expect([verdict, stands]).toEqual(['the message: content', false]);
  });

  it.each([
    ['shorter', octets.length + 1],
    ['longer', octets.length - 1],
  ])('breaks off a message that is %s than was announced', async (_, sizeBytes) => {
    const script = `${first}\n${second}\nS: 250 ok\nC: BDAT ${sizeBytes - 2 * chunkBytes} LAST\n`;
    const read = sizeBytes > octets.length ? script.replace(/\nS: 250 ok\nC: BDAT \d+ LAST/, '') : script;
    const { verdict, stands } = await chunked(read, { sizeBytes });
    expect([verdict, stands]).toEqual(['the message: content', false]);
  });

  it('M5: uses DATA for what fits into one chunk', async () => {
    const content = () => [octets.subarray(0, chunkBytes)];
    const script = `${begun.replaceAll('S: 250 ok', '').trim()}\nC: DATA\nS: 250 ok\nS: 250 ok\nS: 354 go\nC: (message)\nS: 250 taken`;
    expect(await chunked(script, { sizeBytes: chunkBytes, content })).toMatchObject({
      verdict: 'end of data: 250',
    });
  });
});

describe('sendTransaction() to a receiver that lies about PIPELINING', () => {
  const liar = async (script: string) => {
    await using peer = await scriptedPeer([`${greeting('PIPELINING')}\n${script}`]);
    const patient = socketDialler({ clock: systemClock });
    const session = await open(peer, patient);
    const verdicts = await sendTransaction(session, letter, { ...defaultTimeouts, rcptMs: 100 });
    return verdicts.map((verdict) => [brief(verdict), verdict.by === 'connection' && verdict.flaw]);
  };

  it.each([
    ['loses what came with MAIL', 'S: 250 ok', 'RCPT TO: timeout'],
    ['says 503 to RCPT', 'S: 250 ok\nS: 503 5.5.1 sequence', 'RCPT TO: protocol'],
    ['answers DATA first', 'S: 250 ok\nS: 354 go on', 'RCPT TO: protocol'],
    ['says 503 to DATA', 'S: 250 ok\nS: 250 ok\nS: 250 ok\nS: 503 5.5.1 sequence', 'DATA: protocol'],
    ['says no SMTP', 'S: 250 ok\nS: what?', 'RCPT TO: protocol'],
  ])('notes one that %s', async (_, script, verdict) => {
    expect(await liar(`${pipelined}\n${script}`)).toEqual([
      [verdict, 'PIPELINING'],
      [verdict, 'PIPELINING'],
    ]);
  });

  it.each([
    ['hangs up', 'S: 250 ok\n== hang up', 'RCPT TO: closed'],
    ['is busy', 'S: 250 ok\nS: 421 busy', 'RCPT TO: closing'],
  ])('takes one that %s for no liar', async (_, script, verdict) => {
    expect(await liar(`${pipelined}\n${script}`)).toEqual([
      [verdict, undefined],
      [verdict, undefined],
    ]);
  });

  it('takes 503 for an answer where it is one: nobody was accepted', async () => {
    const script = `${pipelined}\nS: 250 ok\nS: 550 no\nS: 550 no\nS: 503 5.5.1 no recipients`;
    expect(await liar(script)).toEqual([
      ['RCPT TO: 550', false],
      ['RCPT TO: 550', false],
    ]);
  });
});

import { describe, expect, it } from 'vitest';
import { socketDialler } from '../net/conversation.ts';
import { brief, greeting, letter, open, pipelined, play } from '../testing/client-transaction.ts';
import { scriptedPeer } from '../testing/scripted-peer.ts';
import { systemClock } from '../util/clock.ts';
import { defaultTimeouts } from './client-timeouts.ts';
import { sendTransaction } from './client-transaction.ts';

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

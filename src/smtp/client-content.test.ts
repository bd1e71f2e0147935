import { describe, expect, it } from 'vitest';
import { brief, greeting, letter, onQuiet, open, pipelined, play } from '../testing/client-transaction.ts';
import { scriptedPeer } from '../testing/scripted-peer.ts';
import { chunkBytes } from './client-content.ts';
import { sendTransaction } from './client-transaction.ts';
import type { Transaction } from './transaction.ts';

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

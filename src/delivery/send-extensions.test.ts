import { describe, expect, it } from 'vitest';
import { chunkBytes } from '../smtp/client-content.ts';
import type { MessageRow } from '../store/message.ts';
import { accepted, bye, hello, message, results, sendingTo } from '../testing/send-stage.ts';

const site = sendingTo();

describe('send() to a receiver with LIMITS (RFC 9422)', () => {
  const limited = (limits: string) => `S: 220 mx\nC: EHLO mx.example.com\nS: 250-mx\nS: 250 LIMITS ${limits}`;
  const everybody = ['a@x.example', 'b@y.example', 'c@x.example'];

  it('RCPTMAX: splits the recipients into transactions of that many', async () => {
    const script = [limited('RCPTMAX=2'), accepted('a@x.example', 'b@y.example'), accepted('c@x.example')];
    const { attempt, peers } = await site([[script.join('\n')]]);
    expect(results(await attempt(everybody))).toEqual(Array(3).fill('delivered at mx0.example.net'));
    expect(peers[0]?.connections).toBe(1);
  });

  it('MAILMAX: makes a new connection when one has had its transactions', async () => {
    const script = (recipient: string) => `${limited('MAILMAX=1 RCPTMAX=1')}\n${accepted(recipient)}\n${bye}`;
    const { attempt, pool, peers } = await site([everybody.map(script)]);
    const sent = await attempt(everybody);
    expect(results(sent)).toEqual(Array(3).fill('delivered at mx0.example.net'));
    expect(sent.events).toHaveLength(3);
    await pool.close();
    await peers[0]?.played();
  });

  it('MAILMAX: does not use a connection again that has had its transactions', async () => {
    const script = `${limited('MAILMAX=1')}\n${accepted('b@example.net')}\n${bye}`;
    const { attempt, pool, peers } = await site([[script, script]]);
    await attempt(['b@example.net']);
    await attempt(['b@example.net']);
    await pool.close();
    await peers[0]?.played();
    expect(peers[0]?.connections).toBe(2);
  });

  it('RCPTDOMAINMAX: one domain on a connection', async () => {
    const script = (...recipients: string[]) =>
      `${limited('RCPTDOMAINMAX=1')}\n${accepted(...recipients)}\n${bye}`;
    const { attempt, pool, peers } = await site([
      [script('a@x.example', 'c@x.example'), script('b@y.example')],
    ]);
    expect(results(await attempt(everybody))).toEqual(Array(3).fill('delivered at mx0.example.net'));
    await pool.close();
    await peers[0]?.played();
  });

  it('does not call for ever on one that hangs up', async () => {
    const script = `${limited('MAILMAX=1')}\nC: MAIL …\n== hang up`;
    const { attempt, peers } = await site([[script]]);
    expect(results(await attempt(['b@example.net']))).toEqual(['deferred 4.4.2']);
    expect(peers[0]?.connections).toBe(1);
  });
});

describe('send() to a receiver that offers what it does not do', () => {
  const offering = (extension: string) => `S: 220 mx\nC: EHLO mx.example.com\nS: 250-mx\nS: 250 ${extension}`;

  it('not-5: PIPELINING: speaks to it again at once, and from then on, command by command', async () => {
    const lost = 'C: MAIL …\nC: RCPT …\nC: DATA\nS: 250 ok\nS: 503 5.5.1 sequence';
    const calm = `${offering('PIPELINING')}\n${accepted('b@example.net')}\n${accepted('c@example.net')}\n${bye}`;
    const { attempt, pool, peers } = await site([[`${offering('PIPELINING')}\n${lost}`, calm]]);
    const sent = await attempt(['b@example.net']);
    expect(results(sent)).toEqual(['delivered at mx0.example.net']);
    expect(sent.events[0]?.data).toMatchObject({
      error: expect.stringContaining('without PIPELINING from now on'),
    });
    expect(results(await attempt(['c@example.net']))).toEqual(['delivered at mx0.example.net']);
    await pool.close();
    await peers[0]?.played();
  });

  it('PIPELINING: gives up on a host that is out of step in any case, and tries the next', async () => {
    const lost = 'C: MAIL …\nC: RCPT …\nC: DATA\nS: 250 ok\nS: 354 what?';
    const again = `${offering('PIPELINING')}\nC: MAIL …\nS: 250 ok\nC: RCPT …\nS: 354 what?`;
    const second = `${hello}\n${accepted('b@example.net')}`;
    const { attempt, peers } = await site([[`${offering('PIPELINING')}\n${lost}`, again], [second]]);
    expect(results(await attempt(['b@example.net']))).toEqual(['delivered at mx1.example.net']);
    expect(peers[0]?.connections).toBe(2);
  });

  it('CHUNKING: sends the same by DATA', async () => {
    const bytes = Buffer.from('x\r\n'.repeat(400_000));
    const row: MessageRow = { ...message, content: { kind: 'inline', bytes }, sizeBytes: bytes.length };
    const refused = `C: MAIL …\nS: 250 ok\nC: RCPT …\nS: 250 ok\nC: BDAT ${chunkBytes}\nC: (${chunkBytes} octets)\nS: 502 what?`;
    const calm = `${offering('CHUNKING')}\n${accepted('b@example.net')}`;
    const { attempt, peers } = await site([[`${offering('CHUNKING')}\n${refused}`, calm]]);
    const sent = await attempt(['b@example.net'], { message: row, content: () => [bytes] });
    expect(results(sent)).toEqual(['delivered at mx0.example.net']);
    expect(peers[0]?.messages.at(-1)).toHaveLength(bytes.length + 3);
  });
});

describe('send() to a receiver without 8BITMIME', () => {
  const bytes = Buffer.from('Subject: hello\r\n\r\nGrüße, and more ASCII to make it worth it\r\n');
  const eightBit: MessageRow = { ...message, content: { kind: 'inline', bytes }, sizeBytes: bytes.length };
  const attemptWith = async (row: MessageRow, script: string) => {
    const { attempt, peers } = await site([[`${hello}\n${script}`]]);
    return { sent: await attempt(['b@example.net'], { message: row, content: () => [bytes] }), peers };
  };

  it("converts our own users' mail, and says so", async () => {
    const { sent, peers } = await attemptWith(
      { ...eightBit, submitter: 'a@example.com' },
      accepted('b@example.net'),
    );
    expect(results(sent)).toEqual(['delivered at mx0.example.net']);
    expect(peers[0]?.messages[0]).toContain('Gr=C3=BC=C3=9Fe');
    expect(sent.events[0]?.data).toMatchObject({ converted: expect.stringContaining('8BITMIME') });
  });

  it('fails with 5.6.3 for what others wrote', async () => {
    const { sent } = await attemptWith(eightBit, bye);
    expect(results(sent)).toEqual(['failed 5.6.3']);
    expect(sent.outcomes.get(0)).toMatchObject({ reason: expect.stringContaining('it is not from here') });
  });
});

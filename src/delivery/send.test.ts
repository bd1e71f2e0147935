import { describe, expect, it } from 'vitest';
import { testAuthority } from '../testing/certificates.ts';
import { accepted, bye, content, hello, message, results, sendingTo, taken } from '../testing/send-stage.ts';
import { SiteTables } from './route/site-tables.ts';

const site = sendingTo();

/** Looks again each time the event loop comes round. */
async function until(ready: () => boolean): Promise<void> {
  while (!ready()) await new Promise(setImmediate);
}

describe('send()', () => {
  it('not-8: gives every recipient an outcome of its own', async () => {
    const script = `${hello}
      C: MAIL …
      S: 250 ok
      C: RCPT TO:<b@example.net>
      S: 250 ok
      C: RCPT TO:<c@example.net>
      S: 450 4.2.0 later
      C: RCPT TO:<d@example.net>
      S: 550 5.1.1 unknown
      ${taken}`;
    const { attempt } = await site([[script], []]);
    const sent = await attempt(['b@example.net', 'c@example.net', 'd@example.net']);
    expect(results(sent)).toEqual(['delivered at mx0.example.net', 'deferred 4.2.0', 'failed 5.1.1']);
  });

  it.each([
    ['refuses connections', 'refuses' as const],
    ['turns everybody away', ['S: 554 no service\nC: QUIT\nS: 221 bye']],
    ['is busy', ['S: 421 busy\nC: QUIT\nS: 221 bye']],
    ['hangs up', ['== hang up']],
    [
      'fails at TLS',
      ['S: 220 mx\nC: EHLO …\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\n== hang up'],
    ],
    [
      'refuses TLS',
      ['S: 220 mx\nC: EHLO …\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 454 no\nC: QUIT\nS: 221 bye'],
    ],
    ['hangs up at MAIL', [`${hello}\nC: MAIL …\n== hang up`]],
    ['hangs up at DATA', [`${hello}\nC: MAIL …\nS: 250 ok\nC: RCPT …\nS: 250 ok\nC: DATA\n== hang up`]],
  ])('M2: goes to the next host where one %s', async (_, first) => {
    const { attempt } = await site([first, [`${hello}\n${accepted('b@example.net')}`]]);
    const sent = await attempt(['b@example.net']);
    expect(results(sent)).toEqual(['delivered at mx1.example.net']);
    expect(sent.events.map(({ data }) => 'error' in data)).toEqual([true, false]);
  });

  it('P13: every address of a host gets its turn, also those of the other family', async () => {
    const turnsAway = ['S: 554 no reverse name\nC: QUIT\nS: 221 bye'];
    const { attempt, route } = await site([turnsAway, 'refuses', [`${hello}\n${accepted('b@example.net')}`]]);
    const addresses = [
      { address: '2001:db8::0', family: 6 },
      { address: '192.0.2.1', family: 4 },
      { address: '2001:db8::2', family: 6 },
    ] as const;
    const one = { ...route, hosts: [{ host: 'mx.example.net', preference: 0, addresses }] };
    const sent = await attempt(['b@example.net'], { route: one });
    expect(results(sent)).toEqual(['delivered at mx.example.net']);
    expect(sent.events.map(({ data }) => 'error' in data && data.error)).toEqual([
      '554 no reverse name',
      'connection refused',
      false,
    ]);
  });

  it('not-5: defers when no host can be reached, and says why', async () => {
    const { attempt } = await site(['refuses', 'refuses']);
    const sent = await attempt(['b@example.net', 'c@example.net']);
    expect(results(sent)).toEqual(['deferred 4.4.1', 'deferred 4.4.1']);
    expect(sent.outcomes.get(0)).toMatchObject({ phase: 'connecting', reason: 'connection refused' });
    expect(sent.events).toHaveLength(2);
  });

  it('does not send again at another host after the final dot', async () => {
    const lost = accepted('b@example.net').replace('S: 250 taken', '== hang up');
    const { attempt, peers } = await site([[`${hello}\n${lost}`], []]);
    expect(results(await attempt(['b@example.net']))).toEqual(['inDoubt 4.4.2']);
    expect(peers[1]?.connections).toBe(0);
  });

  it('not-8: takes only those without an answer to the next host', async () => {
    const broken = `${hello}\nC: MAIL …\nS: 250 ok\nC: RCPT TO:<b@example.net>\nS: 550 5.1.1 no\nC: RCPT …\n== hang up`;
    const { attempt } = await site([[broken], [`${hello}\n${accepted('c@example.net')}`]]);
    const sent = await attempt(['b@example.net', 'c@example.net']);
    expect(results(sent)).toEqual(['failed 5.1.1', 'delivered at mx1.example.net']);
  });

  it.each(['452 4.5.3 too many', '452 too many', '552 5.5.3 enough', '552 too many recipients'])(
    "makes another transaction for recipients beyond the receiver's limit: %s",
    async (answer) => {
      const first = accepted('b@example.net').replace(
        'C: DATA',
        `C: RCPT TO:<c@example.net>\nS: ${answer}\nC: DATA`,
      );
      const { attempt } = await site([[`${hello}\n${first}\n${accepted('c@example.net')}`]]);
      const sent = await attempt(['b@example.net', 'c@example.net']);
      expect(results(sent)).toEqual(Array(2).fill('delivered at mx0.example.net'));
      expect(sent.events).toHaveLength(1);
    },
  );

  it('does not ask again a receiver that had room for nobody', async () => {
    const { attempt } = await site([
      [`${hello}\nC: MAIL …\nS: 250 ok\nC: RCPT …\nS: 452 4.5.3 too many\n${'C: QUIT\nS: 221 bye'}`],
    ]);
    expect(results(await attempt(['b@example.net']))).toEqual(['deferred 4.5.3']);
  });

  it('sends to at most 100 recipients at a time', async () => {
    const many = Array.from({ length: 101 }, (_, index) => `r${index}@example.net`);
    const { attempt } = await site([
      [`${hello}\n${accepted(...many.slice(0, 100))}\n${accepted('r100@example.net')}`],
    ]);
    const sent = await attempt(many);
    expect(new Set(results(sent))).toEqual(new Set(['delivered at mx0.example.net']));
    expect(sent.outcomes.size).toBe(101);
  });

  it('P7: keeps to what a site takes in one message and on one connection', async () => {
    const tables = new SiteTables([
      { mx: ['example.net'], domains: [], recipientsPerMessage: 1, messagesPerConnection: 1 },
    ]);
    const two = `${accepted('b@example.net')}\n${accepted('c@example.net')}\n${bye}`;
    const { attempt, peers } = await site([[`${hello}\n${two}`, `${hello}\n${accepted('b@example.net')}`]]);
    await attempt(['b@example.net', 'c@example.net'], { tables });
    await attempt(['b@example.net'], { tables });
    expect(peers[0]?.connections).toBe(2);
  });

  it('not-11: ends when it is stopped, and defers', async () => {
    const stop = new AbortController();
    const { attempt, peers } = await site([[`${hello}\nC: MAIL …\n== quiet`], []]);
    const sending = attempt(['b@example.net'], {
      signal: stop.signal,
      content: () => [content],
    });
    await until(() => peers[0]?.connections === 1);
    stop.abort();
    expect(results(await sending)).toEqual(['deferred 4.3.2']);
    expect(results(await attempt(['b@example.net'], { signal: stop.signal }))).toEqual(['deferred 4.3.2']);
  });

  it('P14: records the dialogue, the endpoint and TLS of every connection', async () => {
    const authority = testAuthority();
    const certificate = authority.issue(['mx0.example.net']);
    const tls =
      'S: 220 mx\nC: EHLO …\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\n== TLS\nC: EHLO …\nS: 250 mx';
    const { attempt } = await site([[`${tls}\n${accepted('b@example.net')}`]], certificate);
    const { events } = await attempt(['b@example.net']);
    expect(events).toMatchObject([
      {
        queueId: message.queueId,
        recipient: 'b@example.net',
        event: 'attempted',
        data: {
          endpoint: { host: 'mx0.example.net', address: '192.0.2.0', port: 25 },
          reused: false,
          tls: { version: 'TLSv1.3', certificate: expect.not.stringMatching('^verified$') },
        },
      },
    ]);
    const [event] = events;
    const dialogue = event?.event === 'attempted' ? event.data.dialogue : [];
    expect(dialogue.map(([, line]) => line).slice(-6)).toEqual(
      ['C: DATA', 'S: 354 go', `C: (${content.length} octets of message)`, 'C: .', 'S: 250 taken']
        .slice(-6)
        .toSpliced(0, 0, 'S: 250 ok'),
    );
    expect(dialogue.every(([offsetMs]) => offsetMs >= 0 && offsetMs < 10_000)).toBe(true);
  });
});

describe('send() over connections that stand already', () => {
  it('not-2: uses the connection again, with only the new recipient', async () => {
    const script = `${hello}\n${accepted('b@example.net')}\n${accepted('c@example.net')}\n${bye}`;
    const { attempt, pool, peers } = await site([[script]]);
    await attempt(['b@example.net']);
    const second = await attempt(['c@example.net']);
    expect(second.events).toMatchObject([{ data: { reused: true } }]);
    const [event] = second.events;
    expect(event?.event === 'attempted' && event.data.dialogue[0]?.[1]).toBe('C: MAIL FROM:<a@example.com>');
    await pool.close();
    await peers[0]?.played();
  });

  it.each([
    ['is closed', '== hang up'],
    ['says 421', 'S: 421 idle too long'],
    ['is out of step', 'S: 503 nested MAIL'],
  ])('opens a fresh one where the old one %s at MAIL, and no failure is counted', async (_, end) => {
    const stale = `${hello}\n${accepted('b@example.net')}\nC: MAIL …\n${end}`;
    const { attempt, peers } = await site([[stale, `${hello}\n${accepted('c@example.net')}`]]);
    await attempt(['b@example.net']);
    const second = await attempt(['c@example.net']);
    expect(results(second)).toEqual(['delivered at mx0.example.net']);
    expect(second.events.map(({ data }) => 'reused' in data && data.reused)).toEqual([true, false]);
    expect(peers[0]?.connections).toBe(2);
  });
});

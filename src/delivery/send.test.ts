import { afterEach, describe, expect, it } from 'vitest';
import { socketDialler } from '../net/conversation.ts';
import { chunkBytes } from '../smtp/client-content.ts';
import { ConversationError, type Dial } from '../smtp/conversation.ts';
import type { JobRow } from '../store/job.ts';
import type { MessageRow } from '../store/message.ts';
import { type Certificate, testAuthority } from '../testing/certificates.ts';
import { type ScriptedPeer, scriptedPeer } from '../testing/scripted-peer.ts';
import { systemClock } from '../util/clock.ts';
import { ConnectionPool } from './connections/pool.ts';
import type { Delivery } from './delivery.ts';
import type { Outcome } from './outcome.ts';
import type { Route } from './route/route.ts';
import { SiteTables } from './route/site-tables.ts';
import { type SendParts, send } from './send.ts';

const connect = socketDialler({ clock: systemClock });
const content = Buffer.from('Subject: hello\r\n\r\nhi\r\n');

const message: MessageRow = {
  queueId: '0123456789ABCD',
  acceptedAt: 0,
  reversePath: 'a@example.com',
  prefix: Buffer.alloc(0),
  content: { kind: 'inline', bytes: content },
  sizeBytes: content.length,
  eightBit: false,
  smtputf8: false,
  failuresTo: 'sender',
};

function job(recipient: string, number: number): JobRow {
  const row = {
    queueId: message.queueId,
    number,
    recipient,
    kind: 'remote',
    destination: 'example.net',
  } as const;
  return { ...row, attempts: 0, queuedAt: 0, nextAttemptAt: 0, expiresAt: 1 };
}

const peers: ScriptedPeer[] = [];
const pools: ConnectionPool[] = [];
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
  await Promise.all(peers.splice(0).map((peer) => peer[Symbol.asyncDispose]()));
});

/**
 * A site of several hosts, each playing its scripts; a host without a script refuses connections. The first is at
 * 192.0.2.0 and at 2001:db8::0, and so on; in the route it has the one that `addressOf` gives.
 */
async function site(
  hosts: (string[] | 'refuses')[],
  certificate?: Certificate,
  addressOf = (index: number) => `192.0.2.${index}`,
) {
  const ports = new Map<string, number>();
  const routed: Route['hosts'][number][] = [];
  const site: ScriptedPeer[] = [];
  for (const [index, scripts] of hosts.entries()) {
    const address = addressOf(index);
    const family = address.includes(':') ? 6 : 4;
    routed.push({ host: `mx${index}.example.net`, preference: index, addresses: [{ address, family }] });
    if (scripts === 'refuses') continue;
    const peer = await scriptedPeer(scripts, certificate === undefined ? {} : { certificate });
    ports.set(address.replace('2001:db8::', '192.0.2.'), peer.endpoint.port);
    site.push(peer);
  }
  peers.push(...site);
  const dial: Dial = (endpoint, limits) => {
    const port = ports.get(endpoint.address.replace('2001:db8::', '192.0.2.'));
    if (port === undefined) throw new ConversationError('connect', 'connection refused');
    return connect({ ...endpoint, address: '127.0.0.1', port }, limits);
  };
  const pool = new ConnectionPool({ dial, clock: systemClock, ehloName: 'mx.example.com' });
  pools.push(pool);
  const route: Route = {
    kind: 'route',
    domain: 'example.net',
    answers: [],
    durationMs: 0,
    hosts: routed,
    port: 25,
  };
  const attempt = (recipients: string[], more: Partial<Delivery & SendParts> = {}) => {
    const { permanentFailures = 'careful', tables = new SiteTables([]), ...delivery } = more;
    const parts = { pool, permanentFailures, tables };
    return send(parts, { route, message, content: () => [content], jobs: recipients.map(job), ...delivery });
  };
  return { pool, attempt, route, peers: site };
}

const brief = (outcome: Outcome): string =>
  outcome.kind === 'delivered'
    ? `delivered at ${outcome.endpoint?.host}`
    : `${outcome.kind} ${outcome.status}`;

const results = ({ outcomes }: { outcomes: Map<number, Outcome> }) =>
  [...outcomes].sort(([a], [b]) => a - b).map(([, outcome]) => brief(outcome));

const hello = 'S: 220 mx\nC: EHLO mx.example.com\nS: 250 mx';
const accepted = (...recipients: string[]) =>
  `C: MAIL FROM:<a@example.com>\nS: 250 ok\n${recipients.map((each) => `C: RCPT TO:<${each}>\nS: 250 ok\n`).join('')}${taken}`;
const taken = 'C: DATA\nS: 354 go\nC: (message)\nS: 250 taken';
const bye = 'C: QUIT\nS: 221 bye';

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
    const { attempt } = await site([[`${hello}\nC: MAIL …\n== quiet`], []]);
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

describe('send() to who refuses our IPv6 address', () => {
  /** Gmail's words, as S1 has them. */
  const refusal = [
    'S: 550-5.7.1 [2001:db8::1] Gmail has detected that this message',
    'S: 550-5.7.1 does not meet IPv6 sending guidelines regarding PTR records and',
    'S: 550-5.7.1 authentication. For more information, go to',
    'S: 550 5.7.1 https://support.google.com/mail/?p=IPv6AuthError',
  ].join('\n');
  const refuses = `${hello}\n${accepted('b@example.net').replace('S: 250 taken', refusal)}\n${bye}`;
  const [v6, v4] = [(index: number) => `2001:db8::${index}`, (index: number) => `192.0.2.${index}`];

  it('P13: sends the same message at once over IPv4, past the other IPv6 hosts', async () => {
    const addressOf = (index: number) => (index < 2 ? v6(index) : v4(index));
    const takes = [`${hello}\n${accepted('b@example.net')}`];
    const { attempt, peers } = await site([[refuses], [], takes], undefined, addressOf);
    const sent = await attempt(['b@example.net']);
    expect(results(sent)).toEqual(['delivered at mx2.example.net']);
    expect(peers[1]?.connections).toBe(0);
    expect(sent.events.map(({ data }) => 'moved' in data && data.moved)).toEqual([
      '5xx, but our IPv6 address has no reverse name, or is not authorised: to be tried over IPv4',
      false,
    ]);
  });

  it('P13: moves only those that were refused for it', async () => {
    const first = `${hello}
      C: MAIL …
      S: 250 ok
      C: RCPT TO:<b@example.net>
      S: 250 ok
      C: RCPT TO:<c@example.net>
      S: 550 5.7.25 no PTR
      C: RCPT TO:<d@example.net>
      S: 550 5.1.1 unknown
      ${taken}`;
    const second = [`${hello}\n${accepted('c@example.net')}`];
    const { attempt } = await site([[first], second], undefined, (index) => (index === 0 ? v6(0) : v4(1)));
    const sent = await attempt(['b@example.net', 'c@example.net', 'd@example.net']);
    const [b, c, d] = results(sent);
    expect([b, c, d]).toEqual([
      'delivered at mx0.example.net',
      'delivered at mx1.example.net',
      'failed 5.1.1',
    ]);
  });

  it('P13: tries later where IPv4 cannot be reached now', async () => {
    const { attempt } = await site([[refuses], 'refuses'], undefined, (index) =>
      index === 0 ? v6(0) : v4(1),
    );
    expect(results(await attempt(['b@example.net']))).toEqual(['deferred 4.4.1']);
  });

  it('P13: fails, but may heal, where there is no IPv4', async () => {
    const { attempt } = await site([[refuses]], undefined, v6);
    const sent = await attempt(['b@example.net']);
    expect(sent.outcomes.get(0)).toMatchObject({ kind: 'failed', status: '5.7.1', remedy: 'IPv4' });
    expect(sent.events[0]?.data).not.toHaveProperty('moved');
  });

  it('M6: takes it for final when told to be strict', async () => {
    const { attempt, peers } = await site([[refuses], []], undefined, (index) =>
      index === 0 ? v6(0) : v4(1),
    );
    expect(results(await attempt(['b@example.net'], { permanentFailures: 'strict' }))).toEqual([
      'failed 5.7.1',
    ]);
    expect(peers[1]?.connections).toBe(0);
  });

  it.each(['listed at bl.example, no PTR', 'looks like spam'])(
    'never changes the address for what is not about it: %s',
    async (words) => {
      const script = refuses.replace(refusal, `S: 550 5.7.1 IPv6 host ${words}`);
      const { attempt, peers } = await site([[script], []], undefined, (index) =>
        index === 0 ? v6(0) : v4(1),
      );
      expect(results(await attempt(['b@example.net']))).toEqual(['failed 5.7.1']);
      expect(peers[1]?.connections).toBe(0);
    },
  );
});

/** Looks again each time the event loop comes round. */
async function until(ready: () => boolean): Promise<void> {
  while (!ready()) await new Promise(setImmediate);
}

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

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ZoneData } from '../dns/zone-data.ts';
import type { DossierEvent } from '../dossier/event.ts';
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts';
import { freePort } from '../testing/free-ports.ts';
import { startReceiver } from '../testing/receiver.ts';
import { scriptedPeer } from '../testing/scripted-peer.ts';
import { startWorld, type World } from '../testing/world.ts';
import { maxLineLength, maxLines } from '../util/dialogue.ts';

const sender = 'sender@example.com';
const good = '127.0.0.41';

let world: World<'example.com'>;
let clock: FakeClock;
let port: number;
let domains = 0;

beforeAll(async () => {
  clock = fakeClock(Date.now());
  port = await freePort(['127.0.0.1', good]);
  world = await startWorld({
    servers: { 'example.com': { accounts: { [sender]: 'secret' }, settings: { delivery: { port } } } },
    clock,
  });
});
afterAll(() => world[Symbol.asyncDispose]());

const server = () => world.servers['example.com'];

/** A domain whose first MX is the scripted peer; its second, where there is one, is as it should be. */
function newDomain({ second = false } = {}): string {
  const domain = `d${++domains}.example`;
  const zone: ZoneData = {
    [domain]: { MX: [[10, `mx.${domain}`], ...(second ? [[20, `mx2.${domain}`] as [number, string]] : [])] },
    [`mx.${domain}`]: { A: ['127.0.0.1'] },
    [`mx2.${domain}`]: { A: [good] },
  };
  world.dns.change(zone);
  return domain;
}

/** Submits a letter; resolves to what became of it, and to the connections that were made for it. */
async function send(domain: string) {
  const { queueId = '' } = await server().submit({ from: sender, to: `ann@${domain}` });
  const [recipient] = await server().settled(queueId);
  const events = await server().trace(queueId);
  type Attempted = Extract<DossierEvent, { event: 'attempted' }>;
  const attempts = events
    .filter((event): event is Attempted => event.event === 'attempted')
    .map(({ data }) => ({
      host: data.endpoint.host,
      error: data.error ?? '',
      dialogue: data.dialogue.map(([, line]) => line),
    }));
  return { state: recipient?.state, attempts, events: events.map(({ event }) => event) };
}

/** Somewhat more than five minutes, second by second: what is on its way arrives in the first of them. */
async function passTime(): Promise<void> {
  for (let second = 0; second < 310; second++) {
    clock.advance(1000);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('a receiver that lies about PIPELINING', () => {
  const offer = 'S: 220 mx\nC: EHLO …\nS: 250-mx\nS: 250 PIPELINING';
  const together = 'C: MAIL …\nC: RCPT …\nC: DATA\nS: 250 ok';
  const step = 'C: MAIL …\nS: 250 ok\nC: RCPT …\nS: 250 ok\nC: DATA\nS: 354 go\nC: (message)\nS: 250 taken';
  const bye = 'C: QUIT\nS: 221 bye';

  test.each([
    ['loses what came together', '== quiet', /no reply within 300 s/],
    ['is out of step', 'S: 503 5.5.1 sequence', /out of step: 503 5\.5\.1 sequence/],
  ])('not-5: and %s, has the letter in the same attempt, and the next one at once', async (_, lie, error) => {
    const domain = newDomain();
    const scripts = [`${offer}\n${together}\n${lie}`, `${offer}\n${step}\n${step}\n${bye}`];
    const onQuiet = () => void passTime();
    await using peer = await scriptedPeer(scripts, { port, onQuiet });
    const { state, attempts } = await send(domain);
    expect(state).toBe('delivered');
    expect(attempts[0]?.error).toMatch(error);
    expect(attempts[0]?.error).toContain('it is spoken to without PIPELINING from now on');
    const next = await send(domain);
    expect(next.state).toBe('delivered');
    expect(next.attempts).toHaveLength(1);
    clock.advance(4_500); // nobody needs the connection any more
    await peer.played();
    expect(peer.messages).toHaveLength(2);
  });
});

describe('an MX that answers garbage', () => {
  const greeting = 'S: 220 mx\nC: EHLO …';
  const envelope = `${greeting}\nS: 250 mx\nC: MAIL …\nS: 250 ok\nC: RCPT …\nS: 250 ok\nC: DATA`;

  const cases: [what: string, script: string, error: RegExp, shown: RegExp][] = [
    ['of another protocol', 'S> HTTP/1.1 400 Bad Request\\r\\n', /not an SMTP reply/, /^S: HTTP\/1\.1 400/],
    ['of no language', 'S> \\xFF\\x00\\x01\\xFE\\r\\n', /not an SMTP reply/, /^S: \ufffd/],
    [
      'of 1 MB',
      `${greeting}\nS> 250 ${'x'.repeat(1_000_000)}\\r\\n`,
      /over 4096|unasked|without/,
      /^S: 250 x/,
    ],
    [
      'of 10,000 lines',
      `${greeting}\nS> ${'250-X\\r\\n'.repeat(10_000)}250 X\\r\\n`,
      /over 100|without/,
      /^S: 250-X/,
    ],
    ['of one word, 250', `${envelope}\nS: 250 ok`, /unexpected reply while sending DATA/, /^S: 250 ok/],
    ['without end, 354', `${envelope}\nS* 354-go\\r\\n`, /over 100|without/, /^S: 354-go/],
    ['that turns everybody away', 'S: 554 5.3.2 no service\nC: QUIT\nS: 221 bye', /no service/, /^S: 554/],
  ];

  test.each(cases)(
    '%s: the letter goes to the next host; alone, it is deferred',
    async (_, script, error, shown) => {
      await using peer = await scriptedPeer([script, script], { port });
      await using receiver = await startReceiver({ address: good, port });
      const there = await send(newDomain({ second: true }));
      expect(there.state).toBe('delivered');
      expect(there.attempts).toHaveLength(2);
      expect(receiver.taken).toHaveLength(1);

      const { state, attempts, events } = await send(newDomain());
      expect(state).toBe('deferred');
      expect(events).not.toContain('reported');
      expect(peer.connections).toBe(2);
      const [{ error: told, dialogue } = { error: '', dialogue: [] }] = attempts;
      expect(told).toMatch(error);
      expect(dialogue).toContainEqual(expect.stringMatching(shown));
      expect(dialogue.length).toBeLessThanOrEqual(maxLines);
      for (const line of dialogue) expect(line.length).toBeLessThanOrEqual(maxLineLength + 1);
    },
  );
});

/** The story of a message, told from what strangers said: it is printed on terminals, and must not move their cursors. */

import type { DialogueLine, DossierEvent, EventName } from '../../src/dossier/event.ts';
import { formatTimeline } from '../../src/dossier/timeline.ts';
import { octetsOf } from '../corpus.ts';
import { packetEnd, packetsOf } from '../packets.ts';
import type { Random } from '../random.ts';
import { between, demand, type Target } from './target.ts';

const maxParts = 12;
/** Octets of a text in an event, as those who write events bound it. */
const longestText = 2000;

/** One event of each kind, made of the parts of the input. */
function eventsOf(input: Buffer): DossierEvent[] {
  const parts = packetsOf(input, maxParts).map((part) => part.subarray(0, longestText));
  const text = (number: number) => (parts[number % parts.length] ?? input).toString();
  const number = (at: number) => (parts[at % parts.length] ?? input).length;
  const endpoint = { host: text(0), address: text(1), port: 25 };
  const dialogue = text(2)
    .split('\n')
    .slice(0, 200)
    .map((line, index): DialogueLine => [index, `${index % 2 === 0 ? 'S' : 'C'}: ${line}`]);
  const tls = { version: text(3), cipher: text(4), certificate: text(5) };
  const client = { address: text(6), helo: text(7), reverseName: text(8) };
  const trouble = { reason: text(1), status: text(2), phase: text(3), rule: text(4) };
  const data: { [Name in EventName]: (DossierEvent & { event: Name })['data'] } = {
    accepted: {
      via: 'smtp',
      from: text(0),
      to: [text(1)],
      sizeBytes: number(2),
      client,
      messageId: text(3),
      tls,
      dialogue,
    },
    refused: { from: text(0), to: [text(1)], client, reply: text(2), rule: text(3), dialogue },
    repeated: { client },
    checked: {
      authenticationResults: text(0),
      spf: text(1),
      dkim: text(2),
      dmarc: text(3),
      decision: 'junk',
      rule: text(4),
      durationMs: 1,
    },
    judged: {
      policy: text(0),
      disposition: 'junk',
      folder: 'Junk',
      rule: text(1),
      score: number(2),
      scored: [{ check: text(3), score: 1, why: text(4) }],
      unknown: [text(5)],
    },
    filtered: {
      filters: [
        {
          name: text(0),
          kind: 'milter',
          durationMs: 1,
          verdict: 'reject',
          stage: text(1),
          reply: { code: 550, enhanced: '5.7.1', lines: [text(2)] },
          added: [text(3)],
          notDone: [text(4)],
        },
        { name: text(0), kind: 'clamd', durationMs: 1, malware: text(1) },
        {
          name: text(0),
          kind: 'rspamd',
          durationMs: 1,
          unknown: 'lied',
          problem: text(2),
          whenDown: 'defer',
        },
      ],
      decision: 'reject',
      rule: text(5),
    },
    signed: { domain: text(0), selector: text(1), algorithm: text(2) },
    redirected: { from: text(0), rule: text(1) },
    routed: {
      domain: text(0),
      answers: [text(1)],
      hosts: [text(2)],
      durationMs: 1,
      transport: { name: text(3), domains: text(4) },
      rule: text(5),
    },
    attempted: { endpoint, tls, reused: true, dialogue, error: text(4), moved: text(5) },
    ran: { command: [text(0), text(1)], end: text(2), durationMs: 1 },
    delivered: { endpoint, folder: text(1), file: text(2), reply: text(3) },
    deferred: { ...trouble, attempts: 1, nextAttemptAt: number(5) },
    failed: { ...trouble, endpoint },
    inDoubt: { ...trouble, endpoint, lostReplies: 1, nextAttemptAt: number(1) },
    reported: { to: text(0), kind: 'failure', report: text(1), rule: text(2) },
    held: { by: text(0), reason: text(1) },
    released: { by: text(0) },
    retried: { by: text(0) },
    readdressed: { by: text(0), to: text(1) },
    dropped: { by: text(0) },
    tlsReported: { domain: text(0), day: text(1), uri: text(2), successes: 1, failures: 2, problem: text(3) },
    dmarcReported: { domain: text(0), day: text(1), uri: text(2), messages: 1, problem: text(3) },
    suspended: { by: text(0), scope: 'site', name: text(1), until: number(2), reason: text(3) },
    resumed: { by: text(0), scope: 'domain', name: text(1) },
    suppressed: { failures: 2, until: number(1) },
    unsuppressed: { by: text(0) },
  };
  // Each name with the data of that name, which a mapped type does not say.
  return Object.entries(data).map(
    ([event, facts], at) =>
      ({ at, queueId: 'Q', recipient: text(at % 2), event, data: facts }) as DossierEvent,
  );
}

function read(input: Buffer): string {
  return formatTimeline(eventsOf(input));
}

export const dossier: Target = {
  name: 'dossier',
  seeds: () =>
    octetsOf([
      'mx\x1e192.0.2.1\x1e220 mx\nEHLO me\n250-mx\n250 STARTTLS\nDATA\n354 go\n(12 octets)\n.\n250 ok',
      'BDAT 1 LAST\n\x1e\x1b[2J',
    ]),
  generate: (random: Random) =>
    Buffer.concat(random.some(8, () => Buffer.concat([random.octets(random.length(40)), packetEnd]))),
  read,
  check(input) {
    const shown = read(input);
    demand(!/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(shown.replace(/[\n\t]/g, '')), 'a control character is shown');
    demand(shown.isWellFormed(), 'half a character is shown');
  },
  places: [between('mx\x1e192.0.2.1\x1e')],
};

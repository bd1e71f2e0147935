const minute = 60_000;

const greeting = 'S: 220 mx\n';
const hello = `${greeting}C: EHLO …\nS: 250 mx\n`;
const offering = (extension: string) => `S: 220 mx\nC: EHLO …\nS: 250-mx\nS: 250 ${extension}\n`;
const envelope = `${hello}C: MAIL …\nS: 250 ok\nC: RCPT …\nS: 250 ok\n`;
const data = `${envelope}C: DATA\nS: 354 go\n`;
const secured = `${offering('STARTTLS')}C: STARTTLS\n`;
const sent = `${data}C: (message)\n`;

export interface HostileReceiver {
  peer: string;
  /** Of each connection that is made. */
  scripts: string[];
  /** Kind and status. */
  outcome: string;
  phase: string | RegExp;
  reason: RegExp;
  /** What the transcript shows of it, where it is no reply. */
  shown?: RegExp;
  /** Octets of the message. Default: few. */
  sizeBytes?: number;
  /** The most time that may pass, in ms. */
  withinMs?: number;
}

export const hostileReceivers: readonly HostileReceiver[] = [
  {
    peer: 'turns everybody away',
    scripts: ['S: 554 5.7.1 no service\nC: QUIT\nS: 221 bye'],
    outcome: 'deferred 4.7.1',
    phase: 'waiting for the greeting',
    reason: /no service/,
  },
  {
    peer: 'says nothing at all',
    scripts: ['== quiet'],
    outcome: 'deferred 4.4.2',
    phase: 'waiting for the greeting',
    reason: /no reply within 300 s/,
    withinMs: 5 * minute,
  },
  {
    peer: 'drips its greeting, an octet a minute',
    scripts: ['S~ 220 a long greeting of a slow server\\r\\n'],
    outcome: 'deferred 4.4.2',
    phase: 'waiting for the greeting',
    reason: /no reply within 300 s/,
    shown: /^S: 220 a/,
    withinMs: 5 * minute,
  },
  ...[
    ['EHLO', 'S: 220 mx\nC: EHLO …', 'sending EHLO', 300],
    ['STARTTLS', secured, 'sending STARTTLS', 300],
    ['MAIL', `${hello}C: MAIL …`, 'sending MAIL FROM', 300],
    ['RCPT', `${hello}C: MAIL …\nS: 250 ok\nC: RCPT …`, 'sending RCPT TO', 300],
    ['DATA', `${envelope}C: DATA`, 'sending DATA', 120],
  ].map(
    ([command, script, phase, seconds]): HostileReceiver => ({
      peer: `falls silent at ${command} (RFC 5321 §4.5.3.2)`,
      scripts: [`${script}\n== quiet`],
      outcome: 'deferred 4.4.2',
      phase: `${phase}`,
      reason: new RegExp(`no reply within ${seconds} s`),
      withinMs: Number(seconds) * 1000,
    }),
  ),
  {
    peer: 'greets without end',
    scripts: ['S* 220-go on\\r\\n'],
    outcome: 'deferred 4.5.0',
    phase: 'waiting for the greeting',
    reason: /over 100 lines|talks without being asked/,
    shown: /^S: 220-go on$/,
  },
  {
    peer: 'answers in 1 MB on one line',
    scripts: [`S: 220 mx\nC: EHLO …\nS> 250 ${'x'.repeat(1_000_000)}\\r\\n`],
    outcome: 'deferred 4.5.0',
    phase: 'sending EHLO',
    reason: /over 4096 octets|talks without being asked/,
    shown: /^S: 250 x{505}…$/,
  },
  {
    peer: 'answers in 10,000 lines',
    scripts: [`S: 220 mx\nC: EHLO …\nS> ${'250-X\\r\\n'.repeat(10_000)}250 mx\\r\\n`],
    outcome: 'deferred 4.5.0',
    phase: 'sending EHLO',
    reason: /over 100 lines|talks without being asked/,
    shown: /^S: \(91 lines more of it\)$/,
  },
  {
    peer: 'answers 10,000 times before it is asked',
    scripts: [`S> 220 mx\\r\\n${'250 ok\\r\\n'.repeat(10_000)}\n`],
    outcome: 'deferred 4.5.0',
    phase: 'sending EHLO',
    reason: /answers before it is asked/,
  },
  {
    peer: 'answers MAIL before it is asked',
    scripts: ['S: 220 mx\nC: EHLO …\nS> 250 mx\\r\\n250 sender ok\\r\\n'],
    outcome: 'deferred 4.5.0',
    phase: 'sending MAIL FROM',
    reason: /answers before it is asked: 250 sender ok/,
  },
  {
    peer: 'says "taken" before it has the message',
    scripts: [`${envelope}C: DATA\nS> 354 go\\r\\n250 2.0.0 taken\\r\\n`],
    outcome: 'deferred 4.4.2',
    phase: 'sending the message',
    reason: /before the end of the message/,
  },
  {
    peer: 'refuses the message before it has it',
    scripts: [`${envelope}C: DATA\nS> 354 go\\r\\n554 5.7.1 on second thoughts\\r\\n`],
    outcome: 'failed 5.7.1',
    phase: 'sending the message',
    reason: /second thoughts/,
  },
  {
    peer: 'speaks in control characters and octets that are no UTF-8',
    scripts: [
      `${hello}C: MAIL …\nS: 250 ok\nC: RCPT …\nS> 550 5.1.1 \\x1B[31mgr\\xFC\\xDFe\\x07\\x00 ü\\r\\n\nC: QUIT\nS: 221 bye`,
    ],
    outcome: 'failed 5.1.1',
    phase: 'sending RCPT TO',
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they must not be there
    reason: /^550 5\.1\.1 \[31mgr\ufffd\ufffde[^\x00-\x1f]+ü$/,
  },
  ...['999 what', '000 zero', '25 short', '2500 long', 'what?', '250-a\\r\\n550 b', '-', '\\x00'].map(
    (words): HostileReceiver => ({
      peer: `says "${words}"`,
      scripts: [`${hello}C: MAIL …\nS> ${words}\\r\\n`],
      outcome: 'deferred 4.5.0',
      phase: 'sending MAIL FROM',
      reason: /not an SMTP reply|has the codes/,
      shown: /^S: (?:999 what|000 zero|25 short|2500 long|what\?|550 b|-|\?)$/,
    }),
  ),
  {
    peer: 'says 354 to everything',
    scripts: [`${hello}C: MAIL …\nS: 354 go`],
    outcome: 'deferred 4.5.0',
    phase: 'sending MAIL FROM',
    reason: /unexpected reply/,
  },
  {
    peer: 'says 250 to everything',
    scripts: [`${envelope}C: DATA\nS: 250 ok`],
    outcome: 'deferred 4.5.0',
    phase: 'sending DATA',
    reason: /unexpected reply while sending DATA: 250 ok/,
  },
  {
    peer: 'says 250 to everything, and offers PIPELINING',
    scripts: [
      `${offering('PIPELINING')}C: MAIL …\nC: RCPT …\nC: DATA\nS: 250 ok\nS: 250 ok\nS: 250 ok`,
      `${offering('PIPELINING')}C: MAIL …\nS: 250 ok\nC: RCPT …\nS: 250 ok\nC: DATA\nS: 250 ok`,
    ],
    outcome: 'deferred 4.5.0',
    phase: 'sending DATA',
    reason: /unexpected reply/,
  },
  {
    peer: 'says 354 to the message',
    scripts: [`${sent}S: 354 more`],
    outcome: 'inDoubt 4.5.0',
    phase: /^sending end of data/,
    reason: /unexpected reply/,
  },
  {
    peer: 'never ends its 354',
    scripts: [`${envelope}C: DATA\nS* 354-go\\r\\n`],
    outcome: 'deferred 4.5.0',
    phase: 'sending DATA',
    reason: /over 100 lines|talks without being asked/,
  },
  {
    peer: 'says 354 and nothing more',
    scripts: [`${sent}== quiet`],
    outcome: 'inDoubt 4.4.2',
    phase: /^sending end of data: the message may be sent more than once/,
    reason: /no reply within 600 s/,
    withinMs: 10 * minute,
  },
  {
    peer: 'never ends its answer to the message',
    scripts: [`${sent}S* 250-going on\\r\\n`],
    outcome: 'inDoubt 4.5.0',
    phase: /^sending end of data/,
    reason: /over 100 lines|talks without being asked/,
    shown: /^S: 250-going on$/,
  },
  {
    peer: 'drips its answer to the message',
    scripts: [`${sent}S~ 250 2.0.0 taken, in a moment\\r\\n`],
    outcome: 'inDoubt 4.4.2',
    phase: /^sending end of data/,
    reason: /no reply within 600 s/,
    shown: /^S: 250 2\.0\.0/,
    withinMs: 10 * minute,
  },
  {
    peer: 'reads nothing of the message',
    scripts: [`${data}== unread`],
    sizeBytes: 32 * 2 ** 20,
    outcome: 'deferred 4.4.2',
    phase: 'sending the message',
    reason: /no room for more data within 180 s/,
    withinMs: 20 * minute, // as long as it takes to fill the buffers, and then three minutes
  },
  {
    peer: 'hangs up after the message',
    scripts: [`${sent}== reset`],
    outcome: 'inDoubt 4.4.2',
    phase: /^sending end of data/,
    reason: /./,
  },
  {
    peer: 'answers STARTTLS with an alert',
    scripts: [`${secured}S: 220 go\nC: (5 octets)\nS+ \\x15\\x03\\x01\\x00\\x02\\x02\\x28\n== deaf`],
    outcome: 'deferred 4.7.5',
    phase: 'negotiating TLS',
    reason: /./,
  },
  {
    peer: 'answers STARTTLS with clear text',
    scripts: [`${secured}S> 220 go\\r\\n250 injected\\r\\n`],
    outcome: 'deferred 4.5.0',
    phase: 'negotiating TLS',
    reason: /octets in clear text before the TLS handshake/,
  },
  {
    peer: 'falls silent in the handshake',
    scripts: [`${secured}S: 220 go\n== deaf`],
    outcome: 'deferred 4.7.5',
    phase: 'negotiating TLS',
    reason: /handshake/,
    withinMs: minute,
  },
  {
    peer: 'says 250 to STARTTLS, too, and goes on in clear text',
    scripts: [`${secured}S: 250 ok\nC: (5 octets)\nS+ 250 ok\\r\\n\n== deaf`],
    outcome: 'deferred 4.7.5',
    phase: 'negotiating TLS',
    reason: /handshake/,
  },
  {
    peer: 'breaks TLS in the middle of the dialogue',
    scripts: [`${secured}S: 220 go\n== TLS\n${hello.slice(greeting.length)}C: MAIL …\n== alert`],
    outcome: 'deferred 4.4.2',
    phase: 'sending MAIL FROM',
    reason: /./,
  },
  {
    peer: 'breaks TLS after the message',
    scripts: [`${secured}S: 220 go\n== TLS\n${sent.slice(greeting.length)}== alert`],
    outcome: 'inDoubt 4.4.2',
    phase: /^sending end of data/,
    reason: /./,
  },
  {
    peer: 'floods under TLS',
    scripts: [`${secured}S: 220 go\n== TLS\nC: EHLO …\nS* 250-X\\r\\n`],
    outcome: 'deferred 4.5.0',
    phase: 'sending EHLO',
    reason: /over 100 lines|talks without being asked/,
  },
  {
    peer: 'refuses at great length',
    scripts: [
      `${hello}C: MAIL …\nS: 250 ok\nC: RCPT …\n${`S! 550-${'x'.repeat(4000)}\n`.repeat(99)}S! 550 end\nC: QUIT\nS: 221 bye`,
    ],
    outcome: 'failed 5.0.0',
    phase: 'sending RCPT TO',
    reason: /^550 x+$/,
  },
];

import { describe, expect, it } from 'vitest';
import { socketDialler } from '../net/conversation.ts';
import { testAuthority } from '../testing/certificates.ts';
import { type ScriptedPeer, scriptedPeer } from '../testing/scripted-peer.ts';
import { systemClock } from '../util/clock.ts';
import { openSession, quit } from './client.ts';
import { defaultTimeouts } from './client-timeouts.ts';
import type { TlsShown } from './conversation.ts';
import { opportunistic, type TlsDemand } from './tls-demand.ts';

const authority = testAuthority();
const certificate = authority.issue(['mx.example.net']);
const dial = socketDialler({ clock: systemClock, authorities: [authority.cert] });

/** Only the one who is silent is waited for briefly. */
const impatient = { ...defaultTimeouts, quitMs: 30 };

async function open(peer: ScriptedPeer, timeouts = impatient, demand = opportunistic) {
  const conversation = await dial(peer.endpoint, { timeoutMs: 1000 });
  const opening = await openSession(conversation, { ehloName: 'mx.example.com', timeouts, demand });
  return { conversation, opening };
}

/** Opens a session that is refused; what remains is the verdict. */
async function refusal(script: string[], timeouts = impatient) {
  await using peer = await scriptedPeer([script.join('\n')], { certificate });
  const { opening } = await open(peer, timeouts);
  if ('session' in opening) throw new Error('a session was opened');
  return opening.verdict;
}

describe('openSession()', () => {
  it('M5: says EHLO, STARTTLS, EHLO', async () => {
    const script = `
      S: 220-mx.example.net
      S: 220 ready
      C: EHLO mx.example.com
      S: 250-mx.example.net
      S: 250-SIZE 1000
      S: 250 STARTTLS
      C: STARTTLS
      S: 220 go ahead
      == TLS
      C: EHLO mx.example.com
      S: 250-mx.example.net
      S: 250-PIPELINING
      S: 250 8BITMIME
      C: QUIT
      S: 221 bye`;
    for (const byteByByte of [false, true]) {
      await using peer = await scriptedPeer([script], { certificate, byteByByte });
      const { conversation, opening } = await open(peer);
      if (!('session' in opening)) throw new Error('no session');
      // P9: whatever was learned before TLS is forgotten.
      expect([...opening.session.extensions.keys()]).toEqual(['PIPELINING', '8BITMIME']);
      await quit(conversation, impatient);
      await peer.played();
    }
  });

  it('shakes hands before the greeting where TLS is implicit, and asks for no STARTTLS', async () => {
    const script = `
      == TLS
      S: 220 mx.example.net
      C: EHLO mx.example.com
      S: 250-mx.example.net
      S: 250-STARTTLS
      S: 250 PIPELINING
      C: QUIT
      S: 221 bye`;
    for (const byteByByte of [false, true]) {
      await using peer = await scriptedPeer([script], { certificate, byteByByte });
      const endpoint = { ...peer.endpoint, implicitTls: true } as const;
      const conversation = await dial(endpoint, { timeoutMs: 1000 });
      const opening = await openSession(conversation, { ehloName: 'mx.example.com', timeouts: impatient });
      expect('session' in opening && opening.session.tls?.certificate).toBe('verified');
      await quit(conversation, impatient);
      await peer.played();
    }
  });

  it('ends at the handshake where TLS is implicit and the peer speaks in clear text', async () => {
    await using peer = await scriptedPeer(['S! 220 mx.example.net ESMTP']);
    const endpoint = { ...peer.endpoint, implicitTls: true } as const;
    const conversation = await dial(endpoint, { timeoutMs: 1000 });
    const opening = await openSession(conversation, { ehloName: 'mx.example.com', timeouts: impatient });
    expect(opening).toMatchObject({ verdict: { by: 'connection', phase: 'negotiating TLS' } });
  });

  it('P9: forgets the extensions that were offered in clear text', async () => {
    await using peer = await scriptedPeer(
      [
        `S: 220 mx
         C: EHLO mx.example.com
         S: 250-mx
         S: 250-PIPELINING
         S: 250 STARTTLS
         C: STARTTLS
         S: 220 go ahead
         == TLS
         C: EHLO mx.example.com
         S: 250 mx`,
      ],
      { certificate },
    );
    const { opening } = await open(peer);
    expect('session' in opening && opening.session.extensions).toEqual(new Map());
  });

  it('P9: checks the certificate and records that it is verified', async () => {
    await using peer = await scriptedPeer([tlsScript], { certificate });
    const { opening } = await open(peer);
    expect('session' in opening && opening.session.tls).toEqual({
      version: 'TLSv1.3',
      cipher: expect.stringMatching(/^TLS_/),
      certificate: 'verified',
    });
    expect(peer.serverNames).toEqual(['mx.example.net']);
  });

  it.each([
    ['of another name', authority.issue(['mx.example.org']), /mx\.example\.org/],
    [
      'of an unknown authority',
      testAuthority().issue(['mx.example.net']),
      /unable to verify|self.signed|issuer/,
    ],
    ['that has expired', authority.issue(['mx.example.net'], { notAfter: Date.now() - 1000 }), /expired/],
  ])('not-17: records why a certificate %s is not verified, and goes on', async (_, wrong, reason) => {
    await using peer = await scriptedPeer([tlsScript], { certificate: wrong });
    const { opening } = await open(peer);
    expect('session' in opening && opening.session.tls?.certificate).toMatch(reason);
  });

  it('says HELO to a server that does not know EHLO', async () => {
    await using peer = await scriptedPeer([
      `S: 220 old
       C: EHLO mx.example.com
       S: 502 what?
       C: HELO mx.example.com
       S: 250 old`,
    ]);
    const { opening } = await open(peer);
    expect('session' in opening && opening.session.extensions).toEqual(new Map());
  });

  it.each([
    ['554 at the greeting', ['S: 554 no service'], 'waiting for the greeting', 554],
    ['421 at EHLO', ['S: 220 mx', 'C: EHLO …', 'S: 421 busy'], 'sending EHLO', 421],
    ['550 at HELO', ['S: 220 mx', 'C: EHLO …', 'S: 500 what', 'C: HELO …', 'S: 550 no'], 'sending HELO', 550],
    [
      '454 at STARTTLS',
      ['S: 220 mx', 'C: EHLO …', 'S: 250-mx', 'S: 250 STARTTLS', 'C: STARTTLS', 'S: 454 later'],
      'sending STARTTLS',
      454,
    ],
  ])('gives a verdict on %s', async (_, script, phase, code) => {
    expect(await refusal(script)).toMatchObject({ by: 'reply', phase, reply: { code } });
  });

  it.each([
    ['a connection closed before the greeting', ['== hang up'], 'waiting for the greeting', 'closed'],
    ['a connection reset at EHLO', ['S: 220 mx', 'C: EHLO …', '== reset'], 'sending EHLO', 'closed'],
    ['what is not SMTP', ['S: SSH-2.0-OpenSSH_9.6'], 'waiting for the greeting', 'protocol'],
    [
      'a handshake broken off',
      ['S: 220 mx', 'C: EHLO …', 'S: 250-mx', 'S: 250 STARTTLS', 'C: STARTTLS', 'S: 220 go', '== hang up'],
      'negotiating TLS',
      'tls',
    ],
  ])('gives a verdict on %s', async (_, script, phase, kind) => {
    expect(await refusal(script)).toMatchObject({ by: 'connection', phase, error: { kind } });
  });

  // A 3xx is positive, and was taken for "delivered" where no letter had been sent.
  it.each([
    ['the greeting', ['S: 354 go on'], 'waiting for the greeting'],
    ['the reply to EHLO', ['S: 220 mx', 'C: EHLO …', 'S: 354 go on'], 'sending EHLO'],
    [
      'the reply to HELO',
      ['S: 220 mx', 'C: EHLO …', 'S: 500 what', 'C: HELO …', 'S: 354 go on'],
      'sending HELO',
    ],
    [
      'the reply to STARTTLS',
      ['S: 220 mx', 'C: EHLO …', 'S: 250-mx', 'S: 250 STARTTLS', 'C: STARTTLS', 'S: 354 go on'],
      'sending STARTTLS',
    ],
  ])('not-1: takes no 3xx for %s as a success', async (_, script, phase) => {
    expect(await refusal(script)).toMatchObject({ by: 'connection', phase, error: { kind: 'protocol' } });
  });

  it.each([
    ['at the greeting', ['== quiet'], { greetingMs: 30 }, 'waiting for the greeting'],
    ['at EHLO', ['S: 220 mx', 'C: EHLO …', '== quiet'], { helloMs: 30 }, 'sending EHLO'],
  ])('not-11: does not wait for ever %s', async (_, script, shortTime, phase) => {
    const verdict = await refusal(script, { ...impatient, ...shortTime });
    expect(verdict).toMatchObject({ by: 'connection', phase, error: { kind: 'timeout' } });
  });

  it('P9: takes no clear text that follows the reply to STARTTLS', async () => {
    const offer = ['S: 220 mx', 'C: EHLO …', 'S: 250-mx', 'S: 250 STARTTLS', 'C: STARTTLS'];
    await using peer = await scriptedPeer([[...offer, String.raw`S> 220 go\r\n250 injected\r\n`].join('\n')]);
    const { opening } = await open(peer);
    expect(opening).toMatchObject({ verdict: { phase: 'negotiating TLS', error: { kind: 'protocol' } } });
  });
});

describe('openSession() under a demand', () => {
  const fault = { type: 'certificate-not-trusted', reason: 'a stranger' } as const;
  const strict: TlsDemand = { key: 'strict', use: 'always', judge: () => fault };
  const clear = 'S: 220 mx\nC: EHLO …\nS: 250 mx';

  it('P9: has no session without TLS where TLS is demanded', async () => {
    for (const script of [clear, 'S: 220 mx\nC: EHLO …\nS: 502 what\nC: HELO …\nS: 250 mx']) {
      await using peer = await scriptedPeer([script]);
      const { opening } = await open(peer, impatient, { key: '', use: 'always' });
      expect(opening).toMatchObject({ verdict: { by: 'policy', fault: { type: 'starttls-not-supported' } } });
    }
  });

  it('P9: says nothing more to a receiver whose TLS is judged bad, and tells what it showed', async () => {
    await using peer = await scriptedPeer(
      [`${tlsScript.slice(0, tlsScript.lastIndexOf('C: EHLO'))}C: QUIT\nS: 221 bye`],
      {
        certificate,
      },
    );
    const { opening, conversation } = await open(peer, impatient, strict);
    expect(opening).toEqual({
      verdict: { by: 'policy', phase: 'comparing TLS with what its policy demands', fault },
      tls: expect.objectContaining({ certificate: 'verified' }),
    });
    await quit(conversation, impatient);
    await peer.played();
  });

  it('P9: goes on where the demand is only tested, and tells what was at fault', async () => {
    const tested: TlsDemand = { ...strict, use: 'offered', tolerant: true };
    await using peer = await scriptedPeer([tlsScript, clear], { certificate });
    const secured = await open(peer, impatient, tested);
    expect(secured.opening).toMatchObject({ session: { fault } });
    const unsecured = await open(peer, impatient, tested);
    expect(unsecured.opening).toMatchObject({ session: { fault: { type: 'starttls-not-supported' } } });
  });

  it('P9: hands the chain to the judge, as it was sent, and what the authorities say of it', async () => {
    const subjects: string[][] = [];
    const distrusts: (string | undefined)[] = [];
    const judge = ({ chain, distrust }: TlsShown) => {
      subjects.push(chain().map(({ subject }) => subject));
      distrusts.push(distrust);
      return undefined;
    };
    const chain = { ...certificate, cert: certificate.cert + authority.cert };
    const strangers = testAuthority('Strangers');
    const foreign = strangers.issue(['mx.example.net']);
    for (const each of [certificate, chain, foreign]) {
      await using peer = await scriptedPeer([tlsScript], { certificate: each });
      await open(peer, impatient, { key: '', use: 'always', serverName: 'alias.example.net', judge });
      expect(peer.serverNames).toEqual(['alias.example.net']);
    }
    expect(subjects).toEqual([
      ['CN=mx.example.net'],
      ['CN=mx.example.net', 'CN=Posthorn test authority'],
      ['CN=mx.example.net'],
    ]);
    // Of another name, but the chain is good: that is for the judge to tell apart.
    expect(distrusts).toEqual([undefined, undefined, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE']);
  });

  it('speaks in clear text where that is demanded, whatever is offered', async () => {
    await using peer = await scriptedPeer(['S: 220 mx\nC: EHLO …\nS: 250-mx\nS: 250 STARTTLS\n== quiet']);
    const { opening, conversation } = await open(peer, impatient, { key: 'clear', use: 'never' });
    expect('session' in opening && opening.session.tls).toBeUndefined();
    expect('session' in opening).toBe(true);
    conversation.close();
    await peer.played();
  });
});

describe('quit()', () => {
  it('not-11: says QUIT, and closes also when nobody answers', async () => {
    await using peer = await scriptedPeer(['S: 220 mx\nC: QUIT\n== quiet']);
    const conversation = await dial(peer.endpoint, { timeoutMs: 1000 });
    await conversation.reply(1000);
    await quit(conversation, impatient);
    await peer.played();
  });
});

const tlsScript = `
  S: 220 mx
  C: EHLO mx.example.com
  S: 250-mx
  S: 250 STARTTLS
  C: STARTTLS
  S: 220 go ahead
  == TLS
  C: EHLO mx.example.com
  S: 250 mx`;

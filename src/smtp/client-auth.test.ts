import { describe, expect, it } from 'vitest';
import { socketDialler } from '../net/conversation.ts';
import { testAuthority } from '../testing/certificates.ts';
import { scriptedPeer } from '../testing/scripted-peer.ts';
import { systemClock } from '../util/clock.ts';
import { openSession } from './client.ts';
import { authenticate, type Login } from './client-auth.ts';
import { defaultTimeouts } from './client-timeouts.ts';

const authority = testAuthority();
const certificate = authority.issue(['mx.example.net']);
const dial = socketDialler({ clock: systemClock, authorities: [authority.cert] });
const base64 = (text: string) => Buffer.from(text).toString('base64');

const login: Login = { user: 'user', password: async () => 'pencil', inClear: true };

/** Opens a session with a server that offers these mechanisms, and plays the rest with it. */
async function play(
  offer: string,
  dialogue: string,
  { byteByByte = false, as = login }: { byteByByte?: boolean; as?: Login } = {},
) {
  const script = `S: 220 relay\nC: EHLO us\nS: 250-relay\nS: 250 ${offer}\n${dialogue}`;
  await using peer = await scriptedPeer([script], { byteByByte });
  const conversation = await dial(peer.endpoint, { timeoutMs: 1000 });
  const opening = await openSession(conversation, { ehloName: 'us' });
  if (!('session' in opening)) throw new Error('no session');
  const options = { ...defaultTimeouts, nonce: () => 'rOprNGfwEbeRWgbNEkqO' };
  const verdict = await authenticate(opening.session, as, options);
  const said = conversation.dialogue.excerpt().lines.map(([, line]) => line);
  conversation.close();
  await peer.played();
  return { verdict, said: said.slice(4) };
}

/** The example of RFC 7677 §3, as RFC 4954 carries it. */
const scram = {
  first: base64('n,,n=user,r=rOprNGfwEbeRWgbNEkqO'),
  challenge: base64('r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096'),
  proof: base64(
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  ),
  final: base64('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='),
};
const scramOpening = `C: AUTH SCRAM-SHA-256 ${scram.first}\nS: 334 ${scram.challenge}\nC: ${scram.proof}`;

describe('authenticate()', () => {
  it.each([
    [
      'SCRAM-SHA-256 where it is offered',
      'AUTH LOGIN PLAIN SCRAM-SHA-256',
      `${scramOpening}\nS: 334 ${scram.final}\nC: …\nS: 235 2.7.0 welcome`,
    ],
    ['PLAIN before LOGIN', 'AUTH LOGIN PLAIN', `C: AUTH PLAIN ${base64('\0user\0pencil')}\nS: 235 welcome`],
    [
      'PLAIN in two steps, to a server that wants it so',
      'AUTH PLAIN',
      `C: AUTH PLAIN ${base64('\0user\0pencil')}\nS: 334 \nC: ${base64('\0user\0pencil')}\nS: 235 welcome`,
    ],
    [
      'LOGIN, whatever its questions are called',
      'AUTH LOGIN',
      `C: AUTH LOGIN\nS: 334 ${base64('User Name\0')}\nC: ${base64('user')}\nS: 334 \nC: ${base64('pencil')}\nS: 235 welcome`,
    ],
  ])('logs in by %s, and keeps the secrets to itself', async (_, offer, dialogue) => {
    for (const byteByByte of [false, true]) {
      const { verdict, said } = await play(offer, dialogue, { byteByByte });
      expect(verdict).toBeUndefined();
      for (const secret of ['pencil', scram.proof, scram.final, scram.challenge, base64('pencil')])
        expect(said.join('\n')).not.toContain(secret);
      expect(said.join('\n')).not.toContain(base64('\0user\0pencil'));
      expect(said.some((line) => line.includes('***'))).toBe(true);
    }
  });

  it('gives the reply of a server that refuses', async () => {
    const { verdict } = await play(
      'AUTH PLAIN',
      `C: AUTH PLAIN …\nS: 535 5.7.8 Authentication credentials invalid`,
    );
    expect(verdict).toMatchObject({
      by: 'reply',
      phase: 'authenticating',
      reply: { code: 535, enhanced: '5.7.8' },
    });
  });

  it.each([
    ['no AUTH', 'SIZE 1000', '5.7.4', /offers no AUTH/],
    ['no mechanism that we know', 'AUTH CRAM-MD5 NTLM', '5.7.4', /CRAM-MD5 NTLM/],
    ['an AUTH without mechanisms', 'AUTH', '5.7.4', /\(none\)/],
  ])('says what is missing where a server offers %s', async (_, offer, status, reason) => {
    const { verdict } = await play(offer, '== quiet');
    expect(verdict).toMatchObject({ by: 'extension', status, reason: expect.stringMatching(reason) });
  });

  it('sends no password in clear text unless the operator wants it so', async () => {
    const { verdict } = await play('AUTH PLAIN', '== quiet', { as: { ...login, inClear: false } });
    expect(verdict).toMatchObject({ status: '5.7.10', reason: expect.stringMatching(/not encrypted/) });
  });

  it('says why a password cannot be had', async () => {
    const as = { ...login, password: () => Promise.reject(new Error('ENOENT: no such file')) };
    const { verdict } = await play('AUTH PLAIN', '== quiet', { as });
    expect(verdict).toMatchObject({ status: '5.3.5', reason: expect.stringMatching(/ENOENT/) });
  });

  it.each([
    ['says yes before it has proven itself', `${scramOpening}\nS: 235 2.7.0 welcome`, /did not prove/],
    [
      'proves another password',
      `${scramOpening}\nS: 334 ${base64('v=AAAATRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')}\nC: *\nS: 501 cancelled`,
      /did not prove/,
    ],
    [
      'knows no SCRAM',
      `C: AUTH SCRAM-SHA-256 …\nS: 334 ${base64('Password:')}\nC: *\nS: 501 cancelled`,
      /not of this mechanism/,
    ],
  ])('believes no server that %s', async (_, dialogue, reason) => {
    const { verdict } = await play('AUTH SCRAM-SHA-256 PLAIN', dialogue);
    expect(verdict).toMatchObject({ status: '5.7.8', reason: expect.stringMatching(reason) });
  });

  it.each([
    ['hangs up', 'C: AUTH PLAIN …\n== hang up', 'closed'],
    ['answers with something else', 'C: AUTH PLAIN …\nS: 354 go ahead', 'protocol'],
    ['asks without end', `C: AUTH LOGIN\nS: 334 \nC: …\nS: 334 \nC: …\nS: 334 \nC: *\nS: 334 `, undefined],
  ])('ends where a server %s', async (_, dialogue, kind) => {
    const { verdict } = await play(dialogue.includes('LOGIN') ? 'AUTH LOGIN' : 'AUTH PLAIN', dialogue);
    if (kind === undefined) expect(verdict).toMatchObject({ by: 'extension', status: '5.7.8' });
    else expect(verdict).toMatchObject({ by: 'connection', error: { kind } });
  });
});

describe('openSession() with a login', () => {
  it('logs in after TLS, by what is offered there', async () => {
    const script = `
      S: 220 relay
      C: EHLO us
      S: 250-relay
      S: 250-AUTH LOGIN
      S: 250 STARTTLS
      C: STARTTLS
      S: 220 go ahead
      == TLS
      C: EHLO us
      S: 250-relay
      S: 250 AUTH PLAIN
      C: AUTH PLAIN ${base64('\0user\0pencil')}
      S: 235 2.7.0 welcome`;
    await using peer = await scriptedPeer([script], { certificate });
    const conversation = await dial(peer.endpoint, { timeoutMs: 1000 });
    const opening = await openSession(conversation, { ehloName: 'us', login: { ...login, inClear: false } });
    expect('session' in opening && opening.session.tls?.certificate).toBe('verified');
    conversation.close();
    await peer.played();
  });

  it('has no session where the login is refused', async () => {
    await using peer = await scriptedPeer([
      'S: 220 relay\nC: EHLO us\nS: 250-relay\nS: 250 AUTH PLAIN\nC: AUTH PLAIN …\nS: 535 5.7.8 no',
    ]);
    const conversation = await dial(peer.endpoint, { timeoutMs: 1000 });
    const opening = await openSession(conversation, { ehloName: 'us', login });
    expect(opening).toMatchObject({ verdict: { by: 'reply', phase: 'authenticating' } });
    conversation.close();
  });
});

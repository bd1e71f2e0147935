import { expect, test } from 'vitest';
import { parseAddress } from '../mail/address.ts';
import { socketDialler } from '../net/conversation.ts';
import { scriptedPeer } from '../testing/scripted-peer.ts';
import { systemClock } from '../util/clock.ts';
import { openSession, quit } from './client.ts';
import { askAbout, endAsking } from './client-callout.ts';
import type { Verdict } from './client-verdict.ts';
import { replyText } from './reply.ts';

const dial = socketDialler({ clock: systemClock });

const outcomeOf = (verdict: Verdict): string => {
  if (verdict.by === 'reply') return `${verdict.phase}: ${replyText(verdict.reply)}`;
  return verdict.by === 'connection' ? `${verdict.phase}: ${verdict.error.kind}` : verdict.by;
};

/** Asks about each in turn. */
async function ask(script: string, ...addresses: string[]): Promise<(string | boolean)[]> {
  await using peer = await scriptedPeer([`S: 220 mx\nC: EHLO me.example\n${script}`]);
  const conversation = await dial(peer.endpoint, { timeoutMs: 1000 });
  const opening = await openSession(conversation, { ehloName: 'me.example' });
  if (!('session' in opening)) throw new Error('no session');
  const outcomes: (string | boolean)[] = [];
  for (const text of addresses) {
    const address = parseAddress(text);
    if (address === undefined) throw new Error(`no address: ${text}`);
    outcomes.push(outcomeOf(await askAbout(opening.session, address)), await endAsking(opening.session));
  }
  await quit(conversation);
  await peer.played();
  return outcomes;
}

test('M11: askAbout() is a transaction of its own for each address, from the null sender, without data', async () => {
  const script = `
    S: 250 mx
    C: MAIL FROM:<>
    S: 250 2.1.0 ok
    C: RCPT TO:<bob@xn--bcher-kva.example>
    S: 250 2.1.5 ok
    C: RSET
    S: 250 2.0.0 ok
    C: MAIL FROM:<>
    S: 250 2.1.0 ok
    C: RCPT TO:<"a b"@example.net>
    S: 550 5.1.1 who?
    C: RSET
    S: 250 2.0.0 ok
    C: QUIT
    S: 221 2.0.0 bye`;
  expect(await ask(script.replace(/^ +/gm, '').trim(), 'bob@bücher.example', '"a b"@example.net')).toEqual([
    'sending RCPT TO: 250 2.1.5 ok',
    true,
    'sending RCPT TO: 550 5.1.1 who?',
    true,
  ]);
});

test('M11: askAbout() tells a refusal of the null sender from one of the address', async () => {
  const script = 'S: 250 mx\nC: MAIL FROM:<>\nS: 550 5.7.1 no bounces\nC: QUIT\nS: 221 bye';
  expect(await ask(script, 'bob@example.net')).toEqual(['sending MAIL FROM: 550 5.7.1 no bounces', true]);
});

test('M11: askAbout() needs SMTPUTF8 for an address that is not ASCII, and asks nothing without it', async () => {
  expect(await ask('S: 250 mx\nC: QUIT\nS: 221 bye', 'jürgen@example.net')).toEqual(['extension', true]);
  const script =
    'S: 250-mx\nS: 250 SMTPUTF8\nC: MAIL FROM:<> SMTPUTF8\nS: 250 ok\nC: RCPT TO:<jürgen@example.net>\nS: 250 ok\nC: RSET\nS: 250 ok\nC: QUIT\nS: 221 bye';
  expect(await ask(script, 'jürgen@example.net')).toEqual(['sending RCPT TO: 250 ok', true]);
});

test('M11: endAsking() finds out when the receiver is gone, or does not forget', async () => {
  const begin = 'S: 250 mx\nC: MAIL FROM:<>\nS: 250 ok\nC: RCPT TO:<bob@example.net>\nS: 250 ok\nC: RSET\n';
  expect(await ask(`${begin}== hang up`, 'bob@example.net')).toEqual(['sending RCPT TO: 250 ok', false]);
  expect(await ask(`${begin}S: 500 what?\nC: QUIT\nS: 221 bye`, 'bob@example.net')).toEqual([
    'sending RCPT TO: 250 ok',
    false,
  ]);
});

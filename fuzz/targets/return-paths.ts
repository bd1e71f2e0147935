/** Addresses and tokens that only we can have made, as strangers bring them back: rewritten senders, complaints of our mail. */

import { makeToken, readToken } from '../../src/arf/token.ts';
import { addressKey, parseAddress } from '../../src/mail/address.ts';
import { isRewritten, reverse, rewrite } from '../../src/mail/srs.ts';
import { address } from '../grammar/addresses.ts';
import { between, demand, type Target } from './target.ts';

const secret = Buffer.from('a secret of the fuzzer');
const [now, domain] = [1_764_000_000_000, 'example.org'];

/** What is rewritten by us comes back as it was, whatever the sender; nothing else is valid. */
function check(input: Buffer): void {
  const text = input.toString('utf8');
  const back = reverse(text, { secrets: [secret], now });
  if (back.kind === 'valid') demand(isRewritten(text), 'what is not rewritten is reversed');
  const sender = parseAddress(text);
  const forward = sender && rewrite(sender, { secret, domain, now });
  if (sender === undefined || forward === undefined) return;
  const reversed = reverse(forward.localPart, { secrets: [secret], now });
  demand(reversed.kind === 'valid', `what we have rewritten is ${reversed.kind}`);
  const isFirst = !isRewritten(sender.localPart);
  demand(!isFirst || addressKey(reversed.sender) === addressKey(sender), 'a bounce goes to somebody else');
  demand(
    reverse(forward.localPart, { secrets: [Buffer.from('another')], now }).kind === 'forged',
    'anybody can make one',
  );
}

const rewritten = (text: string): string => {
  const sender = parseAddress(text);
  return (sender && rewrite(sender, { secret, domain, now })?.localPart) ?? text;
};

const srs: Target = {
  name: 'srs',
  seeds: () =>
    [
      rewritten('ann@example.com'),
      rewritten(`"a=b"@example.com`),
      rewritten('SRS0=abcd=ab=example.net=bob@example.com'),
      'SRS1=abcd=example.net==abcd=ab=example.com=bob@example.com',
      'SRS0+abcdefgh=qq=example.com=bob',
    ].map((text) => Buffer.from(text)),
  generate: (random) => {
    const text = address(random);
    return Buffer.from(random.oneIn(2) ? text : rewritten(text));
  },
  read: (input) => reverse(input.toString('utf8'), { secrets: [secret, Buffer.from('old')], now }),
  check,
  places: [between('SRS0='), between('SRS0=abcdefgh=aa=', '=bob'), between('SRS1=abcdefgh=example.com==')],
};

const key = Buffer.from('another secret');
const token = makeToken(key, 'ABC123', now);

const feedbackToken: Target = {
  name: 'feedback-token',
  seeds: () => [token, ` ${token}\r\n`].map((text) => Buffer.from(text)),
  read: (input) => readToken(key, input.toString('latin1'), now),
  check(input) {
    const text = input.toString('latin1');
    const found = readToken(key, text, now);
    // The last character of its base64 has bits that do not count.
    demand(
      found === undefined || text.trim().slice(0, -1) === token.slice(0, -1),
      'a token that we never made',
    );
  },
  places: [between(''), between('1:ABC123:', ':aaaaaaaaaaaaaaaaaaaa')],
};

export const returnPaths: readonly Target[] = [srs, feedbackToken];

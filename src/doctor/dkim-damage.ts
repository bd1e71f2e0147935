/** What forms and people do to the text of a key, beyond a few characters: named, so that it is found where it was entered. Pure. */

import { createPrivateKey } from 'node:crypto';
import { differenceOf } from './difference.ts';

export type KeyDamage =
  | { id: 'dkim-mistyped' | 'dkim-truncated' | 'dkim-private-key'; words: string; remedy: string }
  /** Another key altogether. */
  | 'other';

const again = 'Copy it once more, in one piece.';

/** Of the two texts of a key, without white space: what was to be published, and what is. Undefined where they are the same. */
export function damageOf(
  key: string,
  published: string,
  { domain }: { domain: string },
): KeyDamage | undefined {
  const difference = differenceOf(key, published);
  if (difference.kind === 'same') return undefined;
  const mistyped = (words: string, remedy = again) => ({ id: 'dkim-mistyped', words, remedy }) as const;
  if (isPrivateKey(published))
    return {
      id: 'dkim-private-key',
      words: 'the record holds a private key: everybody can sign in your name with it',
      remedy: `Never use it again, not even after it is taken out of DNS. If it is the one in use, make another: posthorn dkim generate ${domain}. What belongs here is the public key.`,
    };
  if (/-----BEGIN/.test(published))
    return mistyped(
      'the record holds the lines BEGIN and END of the file of a key',
      'Only what stands between those lines belongs behind p=.',
    );
  if (published === key.toLowerCase() || published === key.toUpperCase())
    return mistyped(
      'the letters of the key have all become lower case, or capital',
      'The form has changed the text, which must stay as it is: ask the DNS provider, or try its other form (a zone file, an API).',
    );
  if (key.includes('+') && published === key.replaceAll('+', ''))
    return mistyped(
      'the plus signs (+) of the key are gone, or have become spaces',
      'The form takes the text for part of a web address. Enter it in the other form, or write %2B for each plus sign.',
    );
  if (difference.kind === 'truncated')
    return {
      id: 'dkim-truncated',
      words: `the key ends after ${difference.length} of ${key.length} characters`,
      remedy: 'Many forms cut a text at 255 characters: enter it in two pieces, each in quotes, as below.',
    };
  return difference.kind === 'mistyped' ? mistyped(`the DKIM record ${difference.words}`) : 'other';
}

function isPrivateKey(text: string): boolean {
  const der = Buffer.from(text.replace(/-----[A-Z ]*-----|-----(?:BEGIN|END)[A-Z]*KEY-----/g, ''), 'base64');
  return (['pkcs8', 'pkcs1'] as const).some((type) => {
    try {
      return createPrivateKey({ key: der, format: 'der', type }).type === 'private';
    } catch {
      return false; // no private key: that is the question
    }
  });
}

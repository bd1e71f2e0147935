import { expect, test } from 'vitest';
import { repairSpf } from './spf-repair.ts';

test.each([
  ['"v=spf1 mx ~all"', 'v=spf1 mx ~all', /quotes/],
  [' v=spf1 mx ~all', 'v=spf1 mx ~all', /begins with a space/],
  ['example.com. 3600 IN TXT "v=spf1 mx ~all"', 'v=spf1 mx ~all', /zone file/],
  ['v=spf1; mx; ~all', 'v=spf1 mx ~all', /semicolons/],
  ['v=spf1,mx,~all', 'v=spf1 mx ~all', /commas/],
  ['spf1 mx ~all', 'v=spf1 mx ~all', /begin with/],
  ['v=spf 1 mx ~all', 'v=spf1 mx ~all', /begin with/],
  ['v=spf1 mx \xe2\x80\x93all', 'v=spf1 mx -all', /long dash/],
  ['v=spf1 ipv4:192.0.2.1 ~all', 'v=spf1 ip4:192.0.2.1 ~all', /ip4: or ip6:/],
  ['v=spf1 ip4: 192.0.2.1 ~all', 'v=spf1 ip4:192.0.2.1 ~all', /behind the colon/],
  ['v=spf1 ip4:192.0.2.1include:a.example ~all', 'v=spf1 ip4:192.0.2.1 include:a.example ~all', /joined/],
  ['v=spf1 ip4:192.0.2.1~all', 'v=spf1 ip4:192.0.2.1 ~all', /joined/],
  ['v=spf1 ip4:2001:db8::1 ~all', 'v=spf1 ip6:2001:db8::1 ~all', /written ip6:/],
  ['v=spf1 ip6:192.0.2.1 -all', 'v=spf1 ip4:192.0.2.1 -all', /written ip4:/],
  ['"v=spf1; ip4: 192.0.2.1; -all"', 'v=spf1 ip4:192.0.2.1 -all', /quotes.*semicolons.*colon/],
])('repairSpf() undoes what was done: %s', (entered, text, words) => {
  expect(repairSpf(entered)).toEqual({ text, words: expect.stringMatching(words) });
});

test.each(['v=spf1 mx ~all', 'v=spf1 ip4:192.0.2 ~all', 'v=spf1 nonsense', '', 'google-site-verification=a'])(
  'repairSpf() leaves alone what is right, or cannot be guessed: %s',
  (text) => expect(repairSpf(text)).toBeUndefined(),
);

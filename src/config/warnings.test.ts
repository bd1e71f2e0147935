import { describe, expect, test } from 'vitest';
import { parseConfig } from './load.ts';
import { isNetworkAddress } from './network.ts';
import { warningsOf } from './warnings.ts';

const warnings = async (toml: string) =>
  warningsOf(
    await parseConfig(`hostname = "mx.example.com"\n${toml}`, '/etc/posthorn.toml', { checkFiles: false }),
  );
const policy = (...checks: string[]) => `[[policy]]\nname = "p"\nchecks = [${checks.join(', ')}]\n`;
const check = (when: string, then: string) => `{ when = "${when}", then = "${then}" }`;

describe('warningsOf()', () => {
  test.each([
    ['malware', policy(check('malware', 'junk')), /malware never holds: .* kind = "clamd"/],
    ['rspamd', policy(check('rspamd:6', 'junk')), /rspamd:6 never holds: .* kind = "rspamd"/],
    ['milter', policy(check('milter:reject', 'junk')), /milter:reject never holds/],
    ['no filter', policy(check('filter-down', 'junk')), /filter-down never holds: there is no/],
    [
      'no such filter',
      `${policy(check('filter-down:foo', 'junk'))}[[filter]]\nkind = "clamd"\nsocket = "/run/c"\n`,
      /no \[\[filter\]\] is called "foo"; there are clamd/,
    ],
    ['no delay', policy(check('early-talker', 'reject')), /early-talker never holds: .*greetingDelayMs/],
    ['a typing error', policy(check('attachment:exe,program', 'reject')), /did you mean "programs"/],
    [
      'behind always',
      policy(check('always', 'junk'), check('spf:fail', 'reject')),
      /spf:fail is never asked/,
    ],
    ['an early accept', policy(check('dnswl:wl.example', 'accept')), /accepts before DMARC is asked/],
    ['no built-in ones', '[[policy]]\nname = "p"\nbuiltin = false\n', /block lists count for nothing/],
    [
      'a circle',
      '[[domain]]\nname = "a.example"\ncatchAll = "x@b.example"\n[[domain]]\nname = "b.example"\ncatchAll = "x@a.example"\n',
      /a\.example → b\.example → a\.example is a circle/,
    ],
    ['host bits', '[relay]\ntrustedNetworks = ["10.1.2.3/8"]\n', /10\.1\.2\.3\/8 is all of the network/],
    ['twice', '[relay]\ntrustedNetworks = ["10.0.0.0/8", "10.0.0.0/8"]\n', /is here twice/],
  ])('%s', async (_, toml, words) => {
    expect((await warnings(toml)).join('\n')).toMatch(words);
  });

  test('nothing, where all is well', async () => {
    const good = [
      check('attachment:exe,programs,macros,com', 'reject'),
      check('dmarc:reject', 'reject'),
      check('dnswl:wl.example', 'accept'),
    ];
    expect(await warnings(policy(...good))).toEqual([]);
    expect(
      await warnings(
        '[relay]\ntrustedNetworks = ["10.0.0.0/8", "192.0.2.1", "2001:db8::/32"]\n[[domain]]\nname = "a.example"\ncatchAll = "x@a.example"\n',
      ),
    ).toEqual([]);
  });
});

test.each([
  ['10.0.0.0/8', true],
  ['10.1.0.0/8', false],
  ['192.0.2.128/25', true],
  ['192.0.2.129/25', false],
  ['192.0.2.1', true],
  ['2001:db8::/32', true],
  ['2001:db8::1/64', false],
])('isNetworkAddress(%s) is %s', (text, expected) => expect(isNetworkAddress(text)).toBe(expected));

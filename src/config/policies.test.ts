import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { spell } from '../policy/conditions.ts';
import { parseConfig } from './load.ts';

const parse = (toml: string) =>
  parseConfig(`hostname = "mx.example.com"\n${toml}`, '/etc/posthorn.toml', { checkFiles: false });

const document = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'POLICIES.md'), 'utf8');
const examples = [...document.matchAll(/```toml\n([\s\S]*?)```/g)].map(([, toml = '']) => toml);

describe('the examples of docs/POLICIES.md', () => {
  test.each(examples)(
    'example %# is a configuration, and lets nobody in before DMARC is asked',
    async (toml) => {
      const { policies } = await parse(toml);
      for (const { checks } of policies) {
        const names = checks.map(({ when }) => spell(when));
        expect(names.slice(0, 3)).toEqual(['malware', 'blocked', 'allowed']);
        const early = checks.slice(3, names.indexOf('dmarc:reject'));
        expect(early.map(({ then }) => then)).not.toContain('accept');
      }
    },
  );

  test('are there', () => expect(examples).toHaveLength(2));
});

describe('what cannot work is an error', () => {
  test.each([
    ['[greylisting]\nminutes = 1440\nwindowHours = 1\n', /nobody would ever pass/],
    ['[abuse]\nbanMinutes = 1000\nbanMaxHours = 1\n', /longer than the longest/],
    ['[[policy]]\nname = "p"\njunkAt = 10\nrejectAt = 5\n', /nothing would be Junk for its sum/],
    ['[[policy]]\nname = "p"\nchecks = [{ when = "attachment:.exe", then = "junk" }]\n', /without the dot/],
    ['[[policy]]\nname = "p"\nchecks = [{ when = "dnsbl:a.example=127.0.0.300", then = "junk" }]\n', /dnsbl/],
    ['[[policy]]\nname = "p"\nchecks = [{ when = "dnsbl:a.example=127.0.0.9-2", then = "junk" }]\n', /dnsbl/],
  ])('%j', async (toml, words) => {
    await expect(parse(toml)).rejects.toThrow(words);
  });
});

test('all that is wrong with the checks is told at once', async () => {
  const toml =
    '[[policy]]\nname = "p"\nchecks = [{ when = "sfp:fail", then = "score" }, { when = "always", then = "reject", score = 1 }, { when = "always", then = "score", score = "x" }]\n';
  const problems = await parse(toml).then(
    () => [],
    (error: { problems: { key: string }[] }) => error.problems.map(({ key }) => key),
  );
  expect(problems.sort()).toEqual([
    'policy[1].checks[1]',
    'policy[1].checks[1].when',
    'policy[1].checks[2]',
    'policy[1].checks[3].score',
  ]);
});

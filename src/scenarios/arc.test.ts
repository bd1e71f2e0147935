import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWorld, type World } from '../testing/world.ts';

/** One server passes mail on and seals it; of two that get it, one believes that server. */
let world: World<'example.net' | 'example.org' | 'example.info'>;

const bob = 'bob@example.net';
const carol = 'carol@example.org';
const dora = 'dora@example.info';
/** Whose domain asks for refusal, and signs nothing. */
const stranger = 'somebody@strict.example';

beforeAll(async () => {
  world = await startWorld({
    servers: {
      'example.net': {
        accounts: { [bob]: 'secret' },
        settings: { source: [{ address: '127.0.0.71' }], arc: { seal: true } },
      },
      'example.org': {
        accounts: { [carol]: 'secret' },
        settings: { arc: { trustedSealers: ['example.net'] } },
      },
      'example.info': { accounts: { [dora]: 'secret' } },
    },
    dns: {
      'strict.example': { MX: [[10, 'mx.strict.example']], TXT: ['v=spf1 ip4:127.0.0.1 -all'] },
      '_dmarc.strict.example': { TXT: ['v=DMARC1; p=reject'] },
      'example.net': { MX: [[10, 'mx.example.net']], TXT: ['v=spf1 ip4:127.0.0.71 -all'] },
    },
  });
  await world.servers['example.net'].withAdmin((admin) =>
    admin.changeSettings({ address: bob, forward: { to: [carol, dora], keep: false } }),
  );
});
afterAll(() => world[Symbol.asyncDispose]());

test('P11: what DMARC found before a trusted server passed it on counts; without trust it is Junk', async () => {
  const { replies } = await world.servers['example.net'].receive({ from: stranger, to: bob });
  expect(replies.get(bob)).toMatchObject({ code: 250 });

  const [letter = ''] = await world.servers['example.org'].inbox(carol);
  expect(letter).toMatch(
    /^ARC-Authentication-Results: i=1; mx\.example\.net;[\s\S]*?dmarc=pass[\s\S]*?arc=none/m,
  );
  expect(letter).toMatch(/^Authentication-Results: mx\.example\.org;[\s\S]*?dmarc=fail[\s\S]*?arc=pass/m);
  const believed = await world.servers['example.org'].trace(carol);
  expect(believed.find(({ event }) => event === 'checked')?.data).toMatchObject({
    decision: 'accept',
    rule: expect.stringMatching(
      /DMARC does not pass here, but example\.net, a trusted sealer, found that DMARC passed/,
    ),
    facts: { arc: { trusted: { sealer: 'example.net', instance: 1, authorDomain: 'strict.example' } } },
  });

  const doubted = async () =>
    (await world.servers['example.info'].trace(dora)).find(({ event }) => event === 'checked');
  await expect.poll(doubted, { timeout: 10_000 }).toBeDefined();
  expect((await doubted())?.data).toMatchObject({
    decision: 'junk',
    facts: { arc: { result: 'pass' }, dmarc: { result: 'fail' } },
  });
});

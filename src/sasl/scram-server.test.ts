import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MechanismStep } from './exchange.ts';
import { type ChannelBinding, makeScramKeys, pretendedKeys, type ScramKeys } from './scram.ts';
import { channelOf, scramSha256 } from './scram-client.ts';
import { scramServer } from './scram-server.ts';

/** The example of RFC 7677 §3: the password is `pencil`. */
const clientNonce = 'rOprNGfwEbeRWgbNEkqO';
const serverNonce = '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
const challenge = `r=${clientNonce}${serverNonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`;
const clientFirst = `n,,n=user,r=${clientNonce}`;
const clientFinal = `c=biws,r=${clientNonce}${serverNonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`;
const keys: ScramKeys = {
  salt: 'W22ZaJ0SNY7soEsUEjb6gQ==',
  storedKey: 'WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=',
  serverKey: 'wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
  iterations: 4096,
};
const example = () => scramServer('SCRAM-SHA-256', { keysOf: async () => keys, nonce: () => serverNonce });

const binding: ChannelBinding = (type) =>
  type === 'tls-exporter' ? Buffer.from('this connection') : undefined;
const otherBinding: ChannelBinding = () => Buffer.from('another connection');

interface Play {
  password?: string;
  /** What the client sees of its connection, and the server of its own. */
  client?: ChannelBinding;
  server?: ChannelBinding;
  /** The client is told that there is -PLUS. */
  plus?: boolean;
  of?: ScramKeys;
}

/** Our own client against our own server, to the end or as far as it gets. */
async function play({ password = 'pencil', client, server, plus = false, of = keys }: Play) {
  const mechanism = plus ? 'SCRAM-SHA-256-PLUS' : 'SCRAM-SHA-256';
  const exchange = scramSha256({ user: 'b,o=b', password }, 'abc', channelOf(mechanism, client));
  const asked: string[] = [];
  const keysOf = async (user: string) => {
    asked.push(user);
    return of;
  };
  const other = scramServer(exchange.mechanism, { keysOf, binding: server });
  let step: MechanismStep = await other.respond(exchange.initialResponse);
  while (step.kind === 'challenge') step = await other.respond(await exchange.respond(step.text));
  return { step, asked, isComplete: exchange.isComplete };
}

describe('scramServer()', () => {
  test('plays the example of RFC 7677', async () => {
    const server = example();
    expect(await server.respond(clientFirst)).toEqual({ kind: 'challenge', text: challenge, user: 'user' });
    expect(await server.respond(clientFinal)).toEqual({
      kind: 'challenge',
      text: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
    });
    expect(await server.respond('')).toEqual({ kind: 'proven', user: 'user', authorizationId: '' });
    expect(await server.respond('')).toMatchObject({ kind: 'malformed' });
  });

  test('knows our own client by keys of our own, each password only by its keys', async () => {
    const own = await makeScramKeys('pencil');
    expect(await play({ of: own })).toEqual({
      step: { kind: 'proven', user: 'b,o=b', authorizationId: '' },
      asked: ['b,o=b'],
      isComplete: true,
    });
    expect(await play({ of: own, password: 'pencils' })).toMatchObject({
      step: { kind: 'wrong', user: 'b,o=b' },
      isComplete: false,
    });
    expect((await makeScramKeys('pencil')).salt).not.toBe(own.salt);
  });

  test('-PLUS proves that both see the same connection', async () => {
    const plus = true;
    expect((await play({ plus, client: binding, server: binding })).step).toMatchObject({ kind: 'proven' });
    expect((await play({ plus, client: otherBinding, server: binding })).step).toEqual({
      kind: 'wrong',
      user: 'b,o=b',
    });
  });

  test('a client that could have bound itself, and was told that it cannot, is refused where it can', async () => {
    expect((await play({ client: binding, server: binding })).step).toEqual({ kind: 'wrong', user: 'b,o=b' });
    expect((await play({ client: binding })).step).toMatchObject({ kind: 'proven' });
    expect((await play({ server: binding })).step).toMatchObject({ kind: 'proven' });
  });

  test('hands on whom the client wants to act as', async () => {
    const server = example();
    const first = `n,a=a=2Cb,n=user,r=${clientNonce}`;
    expect(await server.respond(first)).toMatchObject({ kind: 'challenge' });
    const unread = example();
    await unread.respond(first);
    // Signed over another header, the proof of the example is none.
    expect(await unread.respond(clientFinal.replace('biws', 'bixhPWE9MkNiLA=='))).toMatchObject({
      kind: 'wrong',
    });
  });

  test.each([
    ['nothing', ''],
    ['no header', 'n=user,r=abc'],
    ['an extension that must be known', `n,,m=x,n=user,r=abc`],
    ['no user', `n,,n=,r=abc`],
    ['a user with a stray escape', `n,,n=a=b,r=abc`],
    ['a user of 256 octets', `n,,n=${'x'.repeat(256)},r=abc`],
    ['no nonce', `n,,n=user,r=`],
    ['a nonce with a blank', `n,,n=user,r=a b`],
    ['a nonce without end', `n,,n=user,r=${'x'.repeat(257)}`],
    ['channel binding without -PLUS', `p=tls-exporter,,n=user,r=abc`],
    ['more than a message', `n,,n=user,r=abc,x=${'x'.repeat(5000)}`],
  ])('refuses a first message with %s', async (_, message) => {
    expect(await example().respond(message)).toMatchObject({ kind: 'malformed' });
  });

  test.each([
    ['-PLUS without channel binding', 'n,,n=user,r=abc'],
    ['a type of binding that we do not have', 'p=tls-unique,,n=user,r=abc'],
  ])('refuses %s', async (_, message) => {
    const server = scramServer('SCRAM-SHA-256-PLUS', { keysOf: async () => keys, binding });
    expect(await server.respond(message)).toMatchObject({ kind: 'malformed' });
  });

  test.each([
    ['no proof', clientFinal.replace(/,p=.*/, ''), 'malformed'],
    ['something after the proof', `${clientFinal},x=y`, 'malformed'],
    ['another nonce', clientFinal.replace('r=r', 'r=s'), 'wrong'],
    ['another header', clientFinal.replace('biws', 'eSws'), 'wrong'],
    ['another proof', clientFinal.replace('dHzb', 'dHzc'), 'wrong'],
    ['a proof that is cut', clientFinal.replace('dHzbZap', ''), 'wrong'],
  ])('takes a last message with %s for %s', async (_, message, kind) => {
    const server = example();
    await server.respond(clientFirst);
    expect(await server.respond(message)).toMatchObject({ kind });
    expect(await server.respond(clientFinal)).toMatchObject({ kind: 'malformed' });
  });

  test('steps on, whatever comes, and proves nobody', async () => {
    const part = fc.oneof(
      fc.string(),
      fc.constantFrom(...[...clientFirst.split(','), ...clientFinal.split(',')].map((each) => `${each},`)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(part, { maxLength: 6 }), { maxLength: 4 }), async (messages) => {
        const server = scramServer('SCRAM-SHA-256', { keysOf: async () => pretendedKeys(Buffer.of(1), 'x') });
        for (const parts of messages) expect((await server.respond(parts.join(''))).kind).not.toBe('proven');
      }),
    );
  });
});

describe('pretendedKeys()', () => {
  test('are the same for a name each time, look like any others, and differ by name and secret', async () => {
    const [secret, another] = [Buffer.from('one'), Buffer.from('two')];
    const pretended = pretendedKeys(secret, 'bob');
    expect(pretendedKeys(secret, 'bob')).toEqual(pretended);
    expect(pretendedKeys(secret, 'eve').salt).not.toBe(pretended.salt);
    expect(pretendedKeys(another, 'bob').salt).not.toBe(pretended.salt);
    const real = await makeScramKeys('pencil');
    for (const [name, value] of Object.entries(real))
      expect(String(pretended[name as keyof ScramKeys])).toHaveLength(String(value).length);
    expect(pretended.iterations).toBe(real.iterations);
  });
});

import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { prepare } from './prepare.ts';
import { leastIterations } from './scram.ts';
import { MalformedChallengeError, mostIterations, scramSha256 } from './scram-client.ts';

/** The example of RFC 7677 §3. */
const clientNonce = 'rOprNGfwEbeRWgbNEkqO';
const combined = `${clientNonce}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0`;
const serverFirst = `r=${combined},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`;
const serverFinal = 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=';
const start = () => scramSha256({ user: 'user', password: 'pencil' }, clientNonce);

describe('scramSha256()', () => {
  test('plays the example of RFC 7677', async () => {
    const exchange = start();
    expect(exchange.initialResponse).toBe(`n,,n=user,r=${clientNonce}`);
    expect(await exchange.respond(serverFirst)).toBe(
      `c=biws,r=${combined},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`,
    );
    expect(exchange.isComplete).toBe(false);
    expect(await exchange.respond(serverFinal)).toBe('');
    expect(exchange.isComplete).toBe(true);
    await expect(exchange.respond(serverFinal)).rejects.toThrow('after the end');
  });

  test.each([
    ['a signature of another password', serverFinal.replace('6rri', '7rri'), /did not prove/],
    ['a signature that is cut', 'v=6rriTRBi23Wp', /did not prove/],
    ['no signature', 'x=1', /did not prove/],
    ['an error', 'e=invalid-proof', /invalid-proof/],
    ['nothing', '', /not of this mechanism/],
  ])('is not complete after %s', async (_, final, reason) => {
    const exchange = start();
    await exchange.respond(serverFirst);
    await expect(exchange.respond(final)).rejects.toThrow(reason);
    expect(exchange.isComplete).toBe(false);
  });

  test.each([
    ['a nonce of its own alone', serverFirst.replace(clientNonce, 'abc'), /nonce/],
    ['our nonce alone', `r=${clientNonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`, /nonce/],
    ['no salt', `r=${combined},i=4096`, /salt/],
    ['too few iterations', serverFirst.replace('4096', String(leastIterations - 1)), /4095 iterations/],
    ['too many iterations', serverFirst.replace('4096', String(mostIterations + 1)), /1000001 iterations/],
    ['iterations that are none', serverFirst.replace('4096', '4096x'), /iterations/],
    ['an unknown extension', `m=x,${serverFirst}`, /extension/],
    ['a signature before its time', serverFinal, /nonce/],
    ['something long', `${serverFirst},x=${'y'.repeat(5000)}`, /too long/],
  ])('refuses a first message with %s', async (_, message, reason) => {
    await expect(start().respond(message)).rejects.toThrow(reason);
  });

  test('escapes what means something in a name, and prepares name and password (RFC 4013)', () => {
    expect(scramSha256({ user: 'a=b,c', password: 'x' }, 'n').initialResponse).toBe('n,,n=a=3Db=2Cc,r=n');
    expect(scramSha256({ user: 'I\u00adX\u00a0\u2168', password: 'x' }, 'n').initialResponse).toBe(
      'n,,n=IX IX,r=n',
    );
  });

  test('proves whatever password to a server that knows it', async () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(text, fc.base64String({ minLength: 8 }), async (password, salt) => {
        const exchange = scramSha256({ user: 'bob', password }, 'abc');
        const first = `r=abcdef,s=${salt},i=4096`;
        const [, bare, proof = ''] = /^(.*),p=(.*)$/.exec(await exchange.respond(first)) ?? [];
        // By the other road: from the stored key and the proof back to the client's key (RFC 5802 §3).
        const salted = pbkdf2Sync(prepare(password), Buffer.from(salt, 'base64'), 4096, 32, 'sha256');
        const hmac = (key: Buffer, message: string) => createHmac('sha256', key).update(message).digest();
        const storedKey = createHash('sha256').update(hmac(salted, 'Client Key')).digest();
        const signature = hmac(storedKey, `n=bob,r=abc,${first},${bare}`);
        const key = Buffer.from(proof, 'base64').map((octet, index) => octet ^ (signature[index] ?? 0));
        expect(createHash('sha256').update(key).digest()).toEqual(storedKey);
      }),
      { numRuns: 20 },
    );
  });

  test('answers or refuses, whatever comes', async () => {
    const part = fc.oneof(
      fc.string(),
      fc.constantFrom('r=', clientNonce, ',', 's=QUJD', ',i=4096', 'v=', 'e=x'),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 8 }), async (parts) => {
        const exchange = start();
        try {
          await exchange.respond(parts.join(''));
          await exchange.respond(parts.toReversed().join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedChallengeError);
        }
        expect(exchange.isComplete).toBe(false);
      }),
    );
  });
});

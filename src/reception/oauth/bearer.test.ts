import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OauthConfig } from '../../config/people.ts';
import type { Https, HttpsRequest } from '../../net/https.ts';
import { fakeClock } from '../../testing/fake-clock.ts';
import { issuer, keySet, tokenOf } from '../../testing/tokens.ts';
import { createLog } from '../../util/log.ts';
import { bearers } from './bearer.ts';
import { freshMs, leastWaitMs, staleMs } from './issuer-keys.ts';

const bob = 'bob@example.com';
const configuration = { issuer, jwks_uri: `${issuer}/keys` };
const oauth: OauthConfig = { issuer, audience: 'mail', scopes: [], claim: 'email' };

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'posthorn-oauth-'));
  await writeFile(join(directory, 'secret'), 's:cret\n');
});
afterAll(() => rm(directory, { recursive: true }));

/** Documents by their address; what is not there is a 404. */
function start(documents: Record<string, unknown>, settings: Partial<OauthConfig> = {}) {
  const clock = fakeClock();
  const asked: HttpsRequest[] = [];
  const https: Https = async (request) => {
    asked.push(request);
    const document = documents[request.url.href];
    const status = document === undefined ? 404 : 200;
    const body = Buffer.from(typeof document === 'string' ? document : JSON.stringify(document ?? null));
    return { status, headers: {}, body, certificate: 'verified' };
  };
  const store = {
    findAccount: async (address: string) =>
      address === bob ? { address, passwordHash: '', createdAt: 0 } : undefined,
  };
  const parts = { oauth: { ...oauth, ...settings }, https, clock, log: createLog('silent'), store };
  const mechanisms = bearers(parts);
  const logIn = async (token: string, user = '') =>
    mechanisms
      .get('OAUTHBEARER')?.(undefined, 'pop3')
      .respond(`n,${user && `a=${user}`},\x01auth=Bearer ${token}\x01\x01`);
  const claims = {
    iss: issuer,
    aud: 'mail',
    exp: clock.now() / 1000 + 10 * 24 * 3600,
    email: bob,
    email_verified: true,
  };
  return { clock, asked, logIn, claims, urls: () => asked.map(({ url }) => url.href) };
}

const wellKnown = `${issuer}/.well-known/openid-configuration`;
const good = () => ({ [wellKnown]: configuration as unknown, [configuration.jwks_uri]: keySet() as unknown });
const proven = { kind: 'proven', user: bob };

describe('a token that is signed', () => {
  test('logs in to its account; the keys are fetched once', async () => {
    const { logIn, claims, urls } = start(good());
    expect(await logIn(tokenOf(claims))).toMatchObject(proven);
    expect(await logIn(tokenOf(claims, { algorithm: 'RS256' }))).toMatchObject(proven);
    expect(urls()).toEqual([wellKnown, configuration.jwks_uri]);
  });

  test.each([
    ['of somebody without an account', { email: 'eve@example.com' }],
    ['of an address that is not verified', { email_verified: false }],
    ['for somebody else', { aud: 'web' }],
    ['that is over', { exp: 1 }],
  ])('%s fails, and is told no more than others', async (_, change) => {
    const { logIn, claims } = start(good());
    const step = await logIn(tokenOf({ ...claims, ...change }));
    expect(step?.kind === 'challenge' && JSON.parse(step.text)).toEqual({
      status: 'invalid_token',
      'openid-configuration': wellKnown,
    });
  });

  test('that cannot be good costs the issuer nothing', async () => {
    const { logIn, claims, asked } = start(good());
    await logIn(tokenOf({ ...claims, aud: 'web' }));
    await logIn('x.y.z');
    expect(asked).toEqual([]);
  });

  test('by a key that is new is good once the issuer shows it, who is asked once a minute at most', async () => {
    const documents = good();
    documents[configuration.jwks_uri] = { keys: keySet().keys.slice(0, 1) };
    const { clock, logIn, claims, asked } = start(documents);
    expect(await logIn(tokenOf(claims))).toMatchObject({ kind: 'challenge' });
    documents[configuration.jwks_uri] = keySet();
    expect(await logIn(tokenOf(claims))).toMatchObject({ kind: 'challenge' });
    expect(asked).toHaveLength(2);
    clock.advance(leastWaitMs);
    const many = await Promise.all(Array.from({ length: 5 }, () => logIn(tokenOf(claims))));
    for (const each of many) expect(each).toMatchObject(proven);
    expect(asked).toHaveLength(4);
  });

  test('is good for a day after the issuer was last heard, and then cannot be checked', async () => {
    const documents: Record<string, unknown> = good();
    const { clock, logIn, claims } = start(documents);
    expect(await logIn(tokenOf(claims))).toMatchObject(proven);
    delete documents[wellKnown];
    clock.advance(freshMs + 1);
    expect(await logIn(tokenOf(claims))).toMatchObject(proven);
    clock.advance(staleMs);
    expect(await logIn(tokenOf(claims))).toMatchObject({ kind: 'unavailable' });
  });

  test.each([
    ['none', {}],
    ['no JSON', { [wellKnown]: '<html>' }],
    ['that of another issuer', { [wellKnown]: { ...configuration, issuer: 'https://evil.example' } }],
    ['one without keys', { [wellKnown]: { issuer } }],
    ['one whose keys are none', { [wellKnown]: configuration, [configuration.jwks_uri]: [] }],
  ])('cannot be checked where the configuration is %s', async (_, documents) => {
    const { logIn, claims } = start(documents);
    expect(await logIn(tokenOf(claims))).toMatchObject({ kind: 'unavailable' });
  });
});

describe('introspection (RFC 7662)', () => {
  const url = 'https://login.example.com/introspect';
  const settings = () => ({
    introspection: { url, clientId: 'post horn', clientSecretFile: { file: join(directory, 'secret') } },
  });
  const active = { active: true, email: bob, email_verified: true };

  test('asks about the token as ourselves', async () => {
    const { logIn, asked } = start({ [url]: active }, settings());
    expect(await logIn('opaque~token')).toMatchObject(proven);
    expect(asked[0]?.body?.toString()).toBe('token=opaque%7Etoken&token_type_hint=access_token');
    const basic = asked[0]?.headers?.authorization?.replace('Basic ', '') ?? '';
    expect(Buffer.from(basic, 'base64').toString()).toBe('post%20horn:s%3Acret');
  });

  test.each([
    ['is not active', { ...active, active: false }, 'challenge'],
    ['is active as text', { ...active, active: 'true' }, 'challenge'],
    ['is for somebody else', { ...active, aud: 'web' }, 'challenge'],
    ['is over', { ...active, exp: 1 }, 'challenge'],
    ['bears no address', { active: true }, 'challenge'],
    ['gets no JSON', 'no', 'unavailable'],
  ])('a token that %s fails', async (_, answer, kind) => {
    const { logIn } = start({ [url]: answer }, settings());
    expect(await logIn('opaque')).toMatchObject({ kind });
  });
});

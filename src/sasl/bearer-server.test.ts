import { describe, expect, test } from 'vitest';
import { type BearerMechanism, bearerServer, type TokenVerdict } from './bearer-server.ts';

const user = 'bob@example.com';
const valid: TokenVerdict = { kind: 'valid', user };
const invalid: TokenVerdict = { kind: 'invalid', status: 'invalid_token', reason: 'expired' };
const hint = {
  scope: 'mail',
  'openid-configuration': 'https://login.example/.well-known/openid-configuration',
};

const messages = {
  OAUTHBEARER: `n,a=${user},\x01host=mx.example.com\x01port=587\x01auth=Bearer to.k-e_n=\x01\x01`,
  XOAUTH2: `user=${user}\x01auth=Bearer to.k-e_n=\x01\x01`,
};

function start(mechanism: BearerMechanism, verdict = valid) {
  const asked: string[] = [];
  const check = async (token: string) => {
    asked.push(token);
    return verdict;
  };
  return { server: bearerServer(mechanism, { check, hint }), asked };
}

describe.each(['OAUTHBEARER', 'XOAUTH2'] as const)('%s', (mechanism) => {
  test('takes a good token, for whom the client says it is', async () => {
    const { server, asked } = start(mechanism);
    expect(await server.respond(messages[mechanism])).toEqual({
      kind: 'proven',
      user,
      authorizationId: user,
    });
    expect(asked).toEqual(['to.k-e_n=']);
  });

  test('says that a token cannot be checked now', async () => {
    const { server } = start(mechanism, { kind: 'unavailable', reason: 'later' });
    expect(await server.respond(messages[mechanism])).toEqual({ kind: 'unavailable', text: 'later' });
  });

  test.each([
    ['nothing', ''],
    ['no token', messages[mechanism].replace('auth=', 'other=')],
    ['two tokens', messages[mechanism].replace('auth=', 'auth=Bearer x\x01auth=')],
    ['another scheme', messages[mechanism].replace('Bearer', 'Basic')],
    ['a token with a blank', messages[mechanism].replace('to.', 'to. ')],
    ['no end', messages[mechanism].slice(0, -1)],
    ['channel binding', messages[mechanism].replace(/^n/, 'p=tls-exporter')],
    ['the other mechanism', messages[mechanism === 'XOAUTH2' ? 'OAUTHBEARER' : 'XOAUTH2']],
  ])('refuses %s', async (claim, message) => {
    if (message === messages[mechanism]) return expect(claim).toBe('channel binding'); // XOAUTH2 has none
    const { server, asked } = start(mechanism);
    expect(await server.respond(message)).toMatchObject({ kind: 'malformed' });
    expect(asked).toEqual([]);
  });
});

test('OAUTHBEARER: what is wrong with a token is told in JSON, then it has failed (RFC 7628 §3.2.2)', async () => {
  const { server } = start('OAUTHBEARER', invalid);
  const step = await server.respond(messages.OAUTHBEARER);
  expect(step).toEqual({ kind: 'challenge', text: expect.any(String), user, hasFailed: true });
  expect(JSON.parse(step.kind === 'challenge' ? step.text : '')).toEqual({
    status: 'invalid_token',
    ...hint,
  });
  expect(await server.respond('\x01')).toEqual({ kind: 'wrong', user });
});

test('OAUTHBEARER does without a name where the token bears it', async () => {
  const { server } = start('OAUTHBEARER');
  expect(await server.respond(messages.OAUTHBEARER.replace(/a=[^,]*/, ''))).toMatchObject({
    kind: 'proven',
    authorizationId: '',
  });
});

test('XOAUTH2 tells it in the words of HTTP', async () => {
  const { server } = start('XOAUTH2', { ...invalid, status: 'insufficient_scope' });
  const step = await server.respond(messages.XOAUTH2);
  expect(JSON.parse(step.kind === 'challenge' ? step.text : '')).toMatchObject({
    status: '403',
    scope: 'mail',
  });
  expect(await server.respond('')).toEqual({ kind: 'wrong', user });
});

import { describe, expect, test } from 'vitest';
import { clientMechanisms, startClientExchange, strongestOf } from './client.ts';
import { startExchange } from './mechanisms.ts';

const credentials = { user: 'bob@example.com', password: 'se cret,=ü' };

describe('strongestOf()', () => {
  test.each([
    [['LOGIN', 'PLAIN', 'SCRAM-SHA-256'], 'SCRAM-SHA-256'],
    [['login', 'plain'], 'PLAIN'],
    [['LOGIN', 'CRAM-MD5'], 'LOGIN'],
    [['CRAM-MD5', 'XOAUTH2', 'SCRAM-SHA-256-PLUS'], undefined],
    [[], undefined],
  ])('of %j is %s', (offered, mechanism) => {
    expect(strongestOf(offered)).toBe(mechanism);
  });
});

describe('startClientExchange()', () => {
  test.each(['PLAIN', 'LOGIN'] as const)('%s hands our own server the credentials', async (mechanism) => {
    const client = startClientExchange(mechanism, credentials);
    const server = startExchange(mechanism);
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    let step = server?.step(
      client.initialResponse === undefined ? undefined : base64(client.initialResponse),
    );
    while (step?.kind === 'challenge') {
      const challenge = Buffer.from(step.challenge, 'base64').toString();
      step = server?.step(base64(await client.respond(challenge)));
    }
    expect(step).toEqual({ kind: 'claim', claim: { authorizationId: '', ...credentials } });
    expect(client.isComplete).toBe(true);
  });

  test.each(['PLAIN', 'LOGIN'] as const)('%s has no more to say than it has', async (mechanism) => {
    const client = startClientExchange(mechanism, credentials);
    await client.respond('');
    if (mechanism === 'LOGIN') await client.respond('');
    await expect(client.respond('')).rejects.toThrow('asks for more');
  });

  test('PLAIN answers an empty challenge with its message (RFC 4954 §4)', async () => {
    const client = startClientExchange('PLAIN', credentials);
    expect(await client.respond('')).toBe(client.initialResponse);
  });

  test('SCRAM takes a new nonce each time', () => {
    const first = () => startClientExchange('SCRAM-SHA-256', credentials).initialResponse;
    expect(first()).not.toBe(first());
    expect(first()).toMatch(/^n,,n=bob@example\.com,r=[\w+/]{24}$/);
  });

  test.each([
    [
      'proves its connection where the server can',
      ['PLAIN', 'SCRAM-SHA-256-PLUS', 'scram-sha-256'],
      'p=tls-exporter,,',
    ],
    ['says that it could have where the server cannot', ['PLAIN', 'SCRAM-SHA-256'], 'y,,'],
  ])('SCRAM %s', (_, offered, header) => {
    const binding = (type: string) => (type === 'tls-exporter' ? Buffer.from('bound') : undefined);
    const mechanism = strongestOf(offered, binding) ?? 'PLAIN';
    expect(startClientExchange(mechanism, credentials, { binding }).initialResponse?.startsWith(header)).toBe(
      true,
    );
    // Without a connection to bind to, nothing is said of it.
    const unbound = startClientExchange(strongestOf(offered) ?? 'PLAIN', credentials);
    expect(unbound.initialResponse?.startsWith('n,,')).toBe(true);
  });

  test('knows every mechanism that it names', () => {
    const binding = () => Buffer.from('bound');
    for (const name of clientMechanisms)
      expect(startClientExchange(name, credentials, { binding }).mechanism).toBe(name);
  });
});

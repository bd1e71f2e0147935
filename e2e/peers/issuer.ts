/** Somebody who issues tokens, as a company's login server does: OpenID discovery, one key, and tokens signed by it. */

import { generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { World } from '../world.ts';

export interface Issuer {
  readonly url: string;
  tokenOf(claims: Record<string, unknown>): string;
}

/** To be led to 127.0.0.1. */
const name = 'login.example.com';

export async function startIssuer(world: World): Promise<Issuer> {
  const authority = await world.authority();
  const { cert, key } = await authority.issue(name);
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const port = await world.port();
  const url = `https://${name}:${port}`;
  const documents: Record<string, unknown> = {
    '/.well-known/openid-configuration': { issuer: url, jwks_uri: `${url}/keys` },
    '/keys': { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one', use: 'sig', alg: 'RS256' }] },
  };
  const tls = { cert: await readFile(cert), key: await readFile(key) };
  const server = createServer(tls, (request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(documents[request.url ?? '']));
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  world.atEnd(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return {
    url,
    tokenOf(claims) {
      const exp = Math.floor(Date.now() / 1000) + 300;
      const signed = `${encode({ alg: 'RS256', kid: 'one', typ: 'JWT' })}.${encode({ iss: url, aud: 'mail', exp, ...claims })}`;
      return `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`;
    },
  };
}

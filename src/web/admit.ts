/** What holds for every request: it is for a name of ours, over TLS or about to be, from somebody who may come in. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '../config/config.ts';
import { say } from './answers.ts';
import { nameOf } from './sites.ts';
import type { Visit, VisitOf } from './visits.ts';

export interface AdmitParts {
  config: Config;
  /** Lets in whom a web server in front speaks for, or says why not. */
  enter(address: string): { leave(): void; words?: never } | { words: string };
}

/** An authority asks without TLS, and for names of which there is no certificate yet (RFC 8555 §8.3). */
const challengePath = '/.well-known/acme-challenge/';
/** How we are, a monitor on this machine may ask without TLS. */
const statusPaths: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics']);

/** Two years. */
const strictTransportSecurity = 'max-age=63072000';

export function admit(app: FastifyInstance, { config, enter }: AdmitParts, visitOf: VisitOf): void {
  const portOfHttps = config.listeners.find(({ protocol }) => protocol === 'https')?.port;
  const isServed = config.listeners.some(({ protocol, proxied }) => protocol === 'https' || proxied);

  app.addHook('onRequest', async (request, reply) => {
    const visit = visitOf(request);
    secure(reply, visit);
    if (visit.by === 'proxied' && visit.address !== undefined) {
      const pass = enter(visit.address);
      if (pass.words !== undefined) return say(reply.header('retry-after', 60), 429, pass.words);
      reply.raw.once('close', pass.leave);
    }
    const path = pathOf(request);
    if (path.startsWith(challengePath)) return;
    // RFC 9110 §15.5.20
    if (visit.site === undefined) return say(reply, 421, 'This name is none of this server.');
    if (visit.secure || statusPaths.has(path)) return;
    if (!isServed) return say(reply, 404, 'There is nothing here, and no HTTPS listener.');
    return redirect(request, reply, placeOf(visit, visit.by === 'proxied' ? 443 : portOfHttps));
  });
}

const pathOf = ({ url }: FastifyRequest): string => url.split('?', 1)[0] ?? url;

/** Names of ours only: `visit.site` is known. */
function placeOf({ host }: Visit, port = 443): string {
  const name = nameOf(host);
  return port === 443 ? name : `${name}:${port}`;
}

function redirect(request: FastifyRequest, reply: FastifyReply, place: string): FastifyReply {
  const isReading = request.method === 'GET' || request.method === 'HEAD';
  return say(
    reply.header('location', `https://${place}${request.raw.url}`),
    isReading ? 301 : 308,
    'This is read by HTTPS.',
  );
}

/** There are no pages here: nothing of it is to run, to be framed, or to be guessed at. */
function secure(reply: FastifyReply, { secure, site }: Visit): void {
  reply.headers({
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
    // A domain's own name may be a web site elsewhere too, which is not ours to bind (RFC 6797 §7.2: never without TLS).
    ...(secure && site?.isOurs && { 'strict-transport-security': strictTransportSecurity }),
  });
}

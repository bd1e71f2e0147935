/**
 * The web listeners' routes, put together. They serve public settings, the answers to an authority's challenges, and how the
 * server is. What an answer says is asked of `parts` each time.
 */

import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import type { Config } from '../config/config.ts';
import type { HttpServer } from '../net/http-server.ts';
import type { Log } from '../util/log.ts';
import { type AdmitParts, admit } from './admit.ts';
import { nothingHere, say } from './answers.ts';
import { serveSettings } from './settings.ts';
import { type StatusParts, serveStatus } from './status.ts';
import type { Origin } from './visitor.ts';
import { visitsOf } from './visits.ts';

export interface WebParts extends AdmitParts, StatusParts {
  config: Config;
  log: Log;
  /** RFC 8555 §8.3: what an authority is to find at a token. */
  challengeResponse(token: string): string | undefined;
}

/** Octets of a request's body. */
export const maxBodyBytes = 16 * 1024;

/** Answers the requests that come to `http`. */
export async function openWeb(parts: WebParts, http: HttpServer<Origin>): Promise<void> {
  const app = fastify({
    logger: false,
    bodyLimit: maxBodyBytes,
    serverFactory(answer) {
      http.answerWith(answer);
      return http.server;
    },
    clientErrorHandler(error, socket) {
      parts.log.debug({ error: error.message }, 'a web client sent what is no request');
      if (socket.writable)
        socket.write('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      socket.destroySoon();
    },
    frameworkErrors: (_error, _request, reply) => void say(reply, 400, 'This is no request.'),
  });
  const visitOf = visitsOf(parts.config, (request) => http.originOf(request));
  answerErrors(app, parts.log);
  takeBodies(app);
  admit(app, parts, visitOf);
  serveSettings(app, parts.config, visitOf);
  serveStatus(app, parts, visitOf);
  serveChallenges(app, parts);
  await app.ready();
}

/** An error of ours is logged, and its text is nobody else's. */
function answerErrors(app: FastifyInstance, log: Log): void {
  app.setNotFoundHandler((_request, reply) => nothingHere(reply));
  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 400 && status < 500) return say(reply, status, 'This request is not understood.');
    log.error({ err: error, url: request.url }, 'internal error in a web request');
    return say(reply, 500, 'This is an error of the server; its log says more.');
  });
}

/** As octets: whose they are is for the route to say, and nothing else looks into them. */
function takeBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
}

function serveChallenges(app: FastifyInstance, { challengeResponse }: WebParts): void {
  app.get(
    '/.well-known/acme-challenge/:token',
    (request: FastifyRequest<{ Params: { token: string } }>, reply) => {
      const response = challengeResponse(request.params.token);
      return response === undefined
        ? nothingHere(reply)
        : reply.type('application/octet-stream').header('cache-control', 'no-store').send(response);
    },
  );
}

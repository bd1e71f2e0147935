/** How the server is: for whoever watches over it. */

import type { FastifyInstance } from 'fastify';
import type { Config } from '../config/config.ts';
import { networkSet } from '../net/networks.ts';
import type { Health } from '../util/health.ts';
import { nothingHere, say } from './answers.ts';
import { mayReadMetrics } from './metrics-access.ts';
import type { VisitOf } from './visits.ts';

export interface StatusParts {
  config: Config;
  health(): Health;
  /** In the text format of Prometheus, version 0.0.4. */
  metricsText(): Promise<string>;
  /** What `/metrics` asks for besides the network. */
  metricsToken: string | undefined;
}

export function serveStatus(app: FastifyInstance, parts: StatusParts, visitOf: VisitOf): void {
  const rules = { networks: networkSet(parts.config.web.metrics), token: parts.metricsToken };

  app.get('/healthz', (request, reply) => {
    if (visitOf(request).site?.role !== 'clients') return nothingHere(reply);
    return parts.health().live ? say(reply, 200, 'live') : say(reply, 503, 'not live');
  });

  app.get('/readyz', (request, reply) => {
    const visit = visitOf(request);
    if (visit.site?.role !== 'clients') return nothingHere(reply);
    const { ready, why } = parts.health();
    if (ready) return say(reply, 200, 'ready');
    // Why, is for those who may know more.
    const details = mayReadMetrics(rules, visit, request.headers.authorization) ? why : [];
    return say(reply, 503, ['not ready', ...details].join('\n'));
  });

  app.get('/metrics', async (request, reply) => {
    const visit = visitOf(request);
    if (visit.site?.role !== 'clients') return nothingHere(reply);
    if (!mayReadMetrics(rules, visit, request.headers.authorization))
      return say(
        reply,
        403,
        'These figures are for the networks in [web] metrics, and for who shows the token.',
      );
    return reply
      .type('text/plain; version=0.0.4; charset=utf-8')
      .header('cache-control', 'no-store')
      .send(await parts.metricsText());
  });
}

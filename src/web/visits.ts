/** What is known of a request before it gets to its route: who, for which of our names. Found out once. */

import type { FastifyRequest } from 'fastify';
import type { Config } from '../config/config.ts';
import type { IncomingMessage } from '../net/http-server.ts';
import { networkSet } from '../net/networks.ts';
import { type Site, siteFinder } from './sites.ts';
import { type Origin, type Visitor, visitorOf } from './visitor.ts';

export interface Visit extends Visitor {
  by: Origin['by'];
  /** Undefined for names that are not ours. */
  site: Site | undefined;
}

export type VisitOf = (request: FastifyRequest) => Visit;

export function visitsOf(
  config: Pick<Config, 'hostname' | 'domains' | 'web'>,
  originOf: (request: IncomingMessage) => Origin,
): VisitOf {
  const findSite = siteFinder(config);
  const isProxy = networkSet(config.web.proxies);
  const known = new WeakMap<FastifyRequest, Visit>();
  return (request) => {
    const before = known.get(request);
    if (before) return before;
    const origin = originOf(request.raw);
    const visitor = visitorOf(origin, request.headers, isProxy);
    const visit = { ...visitor, by: origin.by, site: findSite(visitor.host) };
    known.set(request, visit);
    return visit;
  };
}

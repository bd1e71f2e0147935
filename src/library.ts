/**
 * What other programs may import from `posthorn`: the server as a whole, and parts that stand on their own. What is not
 * named here may change at any time. docs/guides/library.md shows how it is used.
 */

export { bodyHasher } from './authentication/body-hash.ts';
export { type CheckedMessage, type CheckParts, checkSender } from './authentication/check.ts';
export { createSigner, type DkimSigner } from './authentication/dkim-sign.ts';
export { authenticationResults } from './authentication/results.ts';
export type { Verdicts } from './authentication/verdicts.ts';
export type { Config } from './config/config.ts';
export { loadConfig, parseConfig } from './config/load.ts';
export { ConfigError } from './config/problem.ts';
export { cachedResolver } from './dns/cache.ts';
export type { Answer, Resolver } from './dns/resolver.ts';
export { type Address, formatAddress, parseAddress } from './mail/address.ts';
export { type Header, parseHeader } from './mail/header.ts';
export { stubResolver, systemServers } from './net/dns-stub.ts';
export { type RunningServer, type ServerOptions, startServer } from './server.ts';
export { type Clock, systemClock } from './util/clock.ts';
export { createLog, type Log } from './util/log.ts';

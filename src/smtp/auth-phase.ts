/** AUTH within an SMTP session (RFC 4954): which mechanisms there are for a connection, and the exchange under way. */

import type { TlsInfo } from '../net/machine.ts';
import type { SaslExchange, SaslStep } from '../sasl/exchange.ts';
import { hasSecretChallenges, offeredOver, startExchange } from '../sasl/mechanisms.ts';
import type { Command } from './command.ts';

export class AuthPhase {
  readonly #mechanisms: readonly string[];
  #exchange: SaslExchange | undefined;
  /** What we say in this exchange is for nobody else's eyes. */
  hasSecretChallenges = false;

  constructor(mechanisms: readonly string[]) {
    this.#mechanisms = mechanisms;
  }

  /** None without TLS, and -PLUS only where there is something to bind to. */
  offered(tls: TlsInfo | undefined): readonly string[] {
    return tls ? offeredOver(this.#mechanisms, tls.binding).mechanisms : [];
  }

  /** Undefined for a mechanism that is not offered. */
  start(
    { mechanism, initialResponse }: Command & { verb: 'AUTH' },
    tls: TlsInfo | undefined,
  ): SaslStep | undefined {
    const { mechanisms, binding } = offeredOver(this.#mechanisms, tls?.binding);
    this.#exchange = mechanisms.includes(mechanism) ? startExchange(mechanism, binding) : undefined;
    this.hasSecretChallenges = hasSecretChallenges(mechanism);
    return this.#exchange?.step(initialResponse);
  }

  /** The next line of the exchange; undefined where there is none. */
  step(line: string): SaslStep | undefined {
    return this.#exchange?.step(line);
  }
}

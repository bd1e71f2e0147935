/**
 * POP3's AUTHORIZATION state (RFC 1939 §4): who is there? USER and PASS, AUTH (RFC 5034), STLS (RFC 2595 §4). Gathers
 * credentials, and never under clear text where the listener forbids it; whether they are right is the application's
 * to say. After STLS a new one takes its place, so that nothing said before TLS is remembered.
 */

import { encodeChallenge, type SaslExchange, type SaslStep } from '../sasl/exchange.ts';
import { startExchange } from '../sasl/mechanisms.ts';
import type { SessionTerms } from './capabilities.ts';
import type { Command } from './command.ts';
import { fault, response, type Step } from './response.ts';

export class Authorization {
  readonly #terms: SessionTerms;
  #user: string | undefined;
  #exchange: SaslExchange | undefined;
  /** An exchange whose last claim is being looked at. */
  #claiming: SaslExchange | undefined;

  constructor(terms: SessionTerms) {
    this.#terms = terms;
  }

  /** The next line is not a command but a response within AUTH. */
  get exchanging(): boolean {
    return this.#exchange !== undefined;
  }

  step(command: Command): Step {
    switch (command.keyword) {
      case 'USER':
        return this.#withPasswords(() => this.#takeUser(command.user));
      case 'PASS':
        return this.#withPasswords(() => this.#takePassword(command.password));
      case 'AUTH':
        return this.#withPasswords(() => this.#startExchange(command.mechanism, command.initialResponse));
      case 'STLS':
        return this.#startTls();
      default:
        return fault('Not before you have logged in');
    }
  }

  /** Takes a response within AUTH. */
  respond(line: string): Step {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    return exchange === undefined
      ? fault('No AUTH to respond to')
      : this.#follow(exchange, exchange.step(line));
  }

  /** The claim is not decided yet: the client is to say more. */
  challenge(text: string): string {
    this.#exchange = this.#claiming;
    return `+ ${encodeChallenge(text)}`;
  }

  /** A response within AUTH could not be read. */
  abandonExchange(): void {
    this.#exchange = undefined;
  }

  #withPasswords(proceed: () => Step): Step {
    const { passwordsAllowed, tlsAvailable } = this.#terms;
    if (passwordsAllowed) return proceed();
    const remedy = tlsAvailable ? 'give STLS first' : 'connect to the port for POP3 over TLS';
    // RFC 3206 §4 counts a breach of policy among the problems that [AUTH] stands for.
    return fault(`Passwords are not taken in clear text: ${remedy}`, 'AUTH');
  }

  /** Says the same to every name: who has an account here is nobody's business. */
  #takeUser(user: string): Step {
    this.#user = user;
    return response('Now PASS');
  }

  #takePassword(password: string): Step {
    const user = this.#user;
    this.#user = undefined;
    if (user === undefined) return fault('USER comes before PASS');
    return { kind: 'ask', event: { type: 'login', claim: { authorizationId: '', user, password } } };
  }

  #startExchange(mechanism: string, initialResponse: string | undefined): Step {
    const { mechanisms, binding } = this.#terms;
    const exchange = mechanisms.includes(mechanism) ? startExchange(mechanism, binding) : undefined;
    if (exchange === undefined) return fault(`Unknown mechanism; known: ${mechanisms.join(' ')}`);
    return this.#follow(exchange, exchange.step(initialResponse));
  }

  #follow(exchange: SaslExchange, step: SaslStep): Step {
    switch (step.kind) {
      case 'challenge':
        this.#exchange = exchange;
        return { kind: 'response', line: `+ ${step.challenge}` };
      case 'claim':
        this.#claiming = exchange;
        return { kind: 'ask', event: { type: 'login', claim: step.claim } };
      case 'error':
        return fault(`AUTH failed: ${step.text}`);
    }
  }

  #startTls(): Step {
    return this.#terms.tlsAvailable
      ? { kind: 'startTls' }
      : fault('STLS is not available here, or TLS is active');
  }
}

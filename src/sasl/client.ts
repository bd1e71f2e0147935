/**
 * The client's side of SASL (RFC 4422) without I/O: proves to a server who we are by PLAIN (RFC 4616), LOGIN
 * (draft-murchison-sasl-login-00) or SCRAM-SHA-256 and its -PLUS (scram-client.ts). Whoever uses the first two sees to it that TLS
 * protects the line. Knows no SMTP and no base64: messages are text.
 */

import { type ChannelBinding, newNonce } from './scram.ts';
import { canBind, channelOf, MalformedChallengeError, scramSha256 } from './scram-client.ts';

export { MalformedChallengeError };

export interface ClientCredentials {
  user: string;
  password: string;
}

export interface ClientExchange {
  readonly mechanism: Mechanism;
  /** What goes out with the name of the mechanism; undefined where the server speaks first. */
  readonly initialResponse: string | undefined;
  /** Answers a challenge. Rejects with a MalformedChallengeError where the server is not what it should be. */
  respond(challenge: string): Promise<string>;
  /** The server may say now that it is content. Before, it has not proven what it has to prove. */
  readonly isComplete: boolean;
}

/** Strongest first: SCRAM does not show the password to the server, and makes the server prove that it knows it. */
export const clientMechanisms = ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256', 'PLAIN', 'LOGIN'] as const;

export type Mechanism = (typeof clientMechanisms)[number];

/**
 * The strongest mechanism among those that a server offers, in any case, or undefined. -PLUS only where there is a
 * connection to bind to.
 */
export function strongestOf(offered: readonly string[], binding?: ChannelBinding): Mechanism | undefined {
  const names = new Set(offered.map((name) => name.toUpperCase()));
  if (!canBind(binding)) names.delete('SCRAM-SHA-256-PLUS');
  return clientMechanisms.find((name) => names.has(name));
}

export function startClientExchange(
  mechanism: Mechanism,
  credentials: ClientCredentials,
  {
    nonce = newNonce,
    binding,
  }: { nonce?: (() => string) | undefined; binding?: ChannelBinding | undefined } = {},
): ClientExchange {
  switch (mechanism) {
    case 'SCRAM-SHA-256-PLUS':
    case 'SCRAM-SHA-256':
      return scramSha256(credentials, nonce(), channelOf(mechanism, binding));
    case 'PLAIN':
      return plain(credentials);
    case 'LOGIN':
      return login(credentials);
  }
}

/** `NUL authcid NUL passwd`: we act as ourselves (RFC 4616 §2). */
function plain({ user, password }: ClientCredentials): ClientExchange {
  const message = `\0${user}\0${password}`;
  return {
    mechanism: 'PLAIN',
    initialResponse: message,
    isComplete: true,
    // A server that has not read the initial response asks for it with an empty challenge.
    respond: answering([message]),
  };
}

/** Servers word the two questions as they like: their order counts. */
function login({ user, password }: ClientCredentials): ClientExchange {
  return {
    mechanism: 'LOGIN',
    initialResponse: undefined,
    isComplete: true,
    respond: answering([user, password]),
  };
}

function answering(answers: readonly string[]): ClientExchange['respond'] {
  const left = [...answers];
  return async () => {
    const answer = left.shift();
    if (answer === undefined)
      throw new MalformedChallengeError('the server asks for more than the mechanism has');
    return answer;
  };
}

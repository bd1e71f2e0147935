/**
 * What `[[transport]]` tables come to: for whom each is, and how it takes mail on its way. `[delivery] relayHost` is the
 * short form of one that takes everything. Which of them a recipient gets is decided in delivery/transports/transports.ts.
 */

import type { SecretSource } from './secret.ts';

/** IANA's ports of what is spoken over TCP; 24 is "any private mail system", where LMTP lives by custom. */
export const transportPorts = { smtp: 25, smtps: 465, submission: 587, lmtp: 24 } as const;

export type RelayProtocol = keyof typeof transportPorts;

export type TransportProtocol = RelayProtocol | 'pipe' | 'mx';

/** What a connection must be before mail, or a password, goes over it. `verified`: encrypted, and the host proves its name. */
export type TlsDemand = 'opportunistic' | 'required' | 'verified';

/** Another server, named once and for all. */
export interface RelayTransport {
  protocol: RelayProtocol;
  /** Its addresses are looked up; MX records are not. */
  at: { host: string; port: number } | { socket: string };
  tls: TlsDemand;
  login?: { user: string; passwordFile: SecretSource };
  /** The password may cross the loopback in clear text. */
  allowPlaintextAuth: boolean;
}

/** A program of this machine, given the message on its standard input; once for each recipient. */
export interface PipeTransport {
  protocol: 'pipe';
  /** Its path and its arguments, with `${…}` in them (delivery/transports/pipe-arguments.ts). */
  command: readonly string[];
  timeoutMs: number;
  /** Processes at once. */
  concurrency: number;
}

/** By MX records, as without any transport: for exceptions from a wider one. */
export interface MxTransport {
  protocol: 'mx';
}

export interface TransportConfig {
  /** In A-labels; `.example.com` is everything below example.com, `*` everything. */
  domains: readonly string[];
  /** Addresses as `addressKey()` of mail/ writes them, or domains. Absent: everybody. */
  senders?: readonly string[];
  way: RelayTransport | PipeTransport | MxTransport;
}

/** The keys of a table that have a kind to begin with, all optional but these two. */
export interface TransportInput {
  domains: readonly string[];
  protocol: TransportProtocol;
  senders?: readonly string[];
  host?: string;
  port?: number;
  socket?: string;
  tls?: TlsDemand;
  user?: string;
  passwordFile?: SecretSource;
  allowPlaintextAuth?: boolean;
  command?: readonly string[];
  timeoutSeconds?: number;
  concurrency?: number;
}

const defaultPipeSeconds = 300;
const defaultPipeConcurrency = 5;

/** Fills in the defaults. What must be there and is not was told by transport-checks.ts: such a table is not used. */
export function completeTransport({ domains, senders, ...input }: TransportInput): TransportConfig {
  return { domains, ...(senders && { senders }), way: wayOf(input) };
}

function wayOf(input: Omit<TransportInput, 'domains' | 'senders'>): TransportConfig['way'] {
  const { protocol } = input;
  if (protocol === 'mx') return { protocol };
  if (protocol === 'pipe') {
    const { command = [], timeoutSeconds = defaultPipeSeconds, concurrency = defaultPipeConcurrency } = input;
    return { protocol, command, timeoutMs: timeoutSeconds * 1000, concurrency };
  }
  const { host = '', port = transportPorts[protocol], socket, user, passwordFile } = input;
  return {
    protocol,
    at: socket === undefined ? { host, port } : { socket },
    tls: input.tls ?? defaultTls(input),
    ...(user !== undefined && passwordFile !== undefined && { login: { user, passwordFile } }),
    allowPlaintextAuth: input.allowPlaintextAuth ?? false,
  };
}

/** A password is for one server only, and must not be given to another (RFC 8314 §4.1). */
export function defaultTls({
  protocol,
  socket,
  user,
  allowPlaintextAuth,
}: Partial<Pick<TransportInput, 'protocol' | 'socket' | 'user' | 'allowPlaintextAuth'>>): TlsDemand {
  if (protocol === 'smtps' || protocol === 'submission') return 'verified';
  return user === undefined || socket !== undefined || allowPlaintextAuth ? 'opportunistic' : 'verified';
}

/**
 * Whether any mail may go by MX: not where something else takes everything, and nothing is sent by MX in spite of it. Then
 * no receiver sees which of our addresses it comes from.
 */
export const sendsByMx = (transports: readonly TransportConfig[]): boolean =>
  transports.some(({ way }) => way.protocol === 'mx') ||
  !transports.some(({ domains, senders }) => domains.includes('*') && senders === undefined);

/** `[[listener]]`: where the server listens, and for which protocol. */

import * as v from 'valibot';
import * as kinds from './kinds.ts';
import * as values from './values.ts';

export type Protocol = 'smtp' | 'submission' | 'submissions' | 'lmtp' | 'pop3' | 'pop3s' | 'http' | 'https';

export const protocols = [
  'smtp',
  'submission',
  'submissions',
  'lmtp',
  'pop3',
  'pop3s',
  'http',
  'https',
] as const satisfies readonly Protocol[];

/** IANA's ports; submissions and pop3s by RFC 8314 §7. */
export const standardPorts: Record<Protocol, number> = {
  smtp: 25,
  submission: 587,
  submissions: 465,
  lmtp: 24, // "any private mail system"
  pop3: 110,
  pop3s: 995,
  http: 80,
  https: 443,
};

export interface ListenerConfig {
  protocol: Protocol;
  address: string;
  /** 0 lets the system choose (tests). */
  port: number;
  /** LMTP only: the path of a Unix socket, in the place of address and port. */
  socket?: string;
  /** POP3 without TLS may authenticate; only for tests and loopback. */
  allowPlaintextAuth: boolean;
  /** What a bare CR or LF in message data gets. Default: "reject" on smtp, "normalize" on submission. */
  bareNewline: 'reject' | 'normalize';
  /** CIDR blocks of the proxies by which alone clients come here, with a PROXY header; absent: directly. */
  proxyProtocol?: readonly string[];
  /** HTTP only: it is for the web servers in front (`[web] proxies`), and serves what HTTPS does. */
  proxied: boolean;
}

export const listenerShape = (directory: string) => ({
  protocol: kinds.oneOf(...protocols),
  address: v.optional(values.ipAddress(), '::'),
  port: v.exactOptional(values.listeningPort()),
  allowPlaintextAuth: v.optional(kinds.flag(), false),
  bareNewline: v.exactOptional(kinds.oneOf('reject', 'normalize')),
  proxyProtocol: v.exactOptional(kinds.list(values.proxyNetwork(), '["192.0.2.10"]')),
  socket: v.exactOptional(values.path(directory)),
  proxied: v.optional(kinds.flag(), false),
});

export type ListenerInput = v.InferOutput<v.ObjectSchema<ReturnType<typeof listenerShape>, undefined>>;

/** Mail from outside with bare CR or LF is refused (CVE-2023-51764); our own users' programs are helped. */
export function completeListener({ port, bareNewline, ...rest }: ListenerInput): ListenerConfig {
  const isSubmission = rest.protocol === 'submission' || rest.protocol === 'submissions';
  return {
    ...rest,
    port: port ?? standardPorts[rest.protocol],
    bareNewline: bareNewline ?? (isSubmission ? 'normalize' : 'reject'),
  };
}

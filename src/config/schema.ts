/**
 * The shape of `posthorn.toml`: every key, its kind and its default. What must agree between keys is in
 * `cross-checks.ts`; what the file system must hold is in `files.ts`.
 */

import { z } from 'zod';
import type { ListenerConfig, Protocol } from './config.ts';
import * as values from './values.ts';

const protocols = [
  'smtp',
  'submission',
  'submissions',
  'pop3',
  'pop3s',
] as const satisfies readonly Protocol[];

/** IANA's ports; submissions and pop3s by RFC 8314 §7. */
export const standardPorts: Record<Protocol, number> = {
  smtp: 25,
  submission: 587,
  submissions: 465,
  pop3: 110,
  pop3s: 995,
};

const mib = 2 ** 20;

export const listenerShape = {
  protocol: values.oneOf(...protocols),
  address: values.ipAddress().default('::'),
  port: values.listeningPort().exactOptional(),
  allowPlaintextAuth: values.flag().default(false),
  bareNewline: values.oneOf('reject', 'normalize').exactOptional(),
};

const dkimShape = (directory: string) => ({ selector: values.dkimSelector(), key: values.path(directory) });

export const domainShape = (directory: string) => ({
  name: values.domainName(),
  postmaster: values.mailAddress().exactOptional(),
  dkim: z.strictObject(dkimShape(directory)).exactOptional(),
});

export const tlsShape = (directory: string) => ({
  cert: values.path(directory),
  key: values.path(directory),
});

const relayShape = { trustedNetworks: z.array(values.trustedNetwork()).default([]) };

export const deliveryShape = (directory: string) => ({
  relayHost: values.smtpHost().exactOptional(),
  port: values.remotePort().default(25),
  allowPrivateAddresses: values.flag().default(false),
  caFile: values.path(directory).exactOptional(),
  connectionsPerSite: values.count(1, 1000, 'connections').default(20),
  concurrency: values.count(1, 10_000, 'deliveries').default(200),
});

const limitsShape = {
  messageBytes: values.count(1024, 2 ** 31, 'bytes').default(50 * mib),
  headerBytes: values.count(1024, 16 * mib, 'bytes').default(mib / 4),
  // RFC 5321 §4.5.3.1.8 asks for at least 100.
  recipients: values.count(1, 100_000, 'recipients').default(1000),
  commands: values.count(1, 1_000_000, 'commands').default(10_000),
  sessions: values.count(1, 100_000, 'sessions').default(1000),
  sessionsPerAddress: values.count(1, 100_000, 'sessions').default(100),
  // SMTP servers wait 5 minutes at least (RFC 5321 §4.5.3.2.7), POP3 servers 10 (RFC 1939 §3).
  idleSeconds: values.count(1, 86_400, 'seconds').default(600),
  sessionSeconds: values.count(1, 604_800, 'seconds').default(7200),
};

const dossierShape = {
  enabled: values.flag().default(true),
  days: values.count(1, 3650, 'days').default(30),
  bytes: values.count(mib, 2 ** 50, 'bytes').default(1024 * mib),
};

type ListenerInput = z.output<z.ZodObject<typeof listenerShape>>;

/** Mail from outside with bare CR or LF is refused (CVE-2023-51764); our own users' programs are helped. */
function completeListener({ port, bareNewline, ...rest }: ListenerInput): ListenerConfig {
  const isSubmission = rest.protocol === 'submission' || rest.protocol === 'submissions';
  return {
    ...rest,
    port: port ?? standardPorts[rest.protocol],
    bareNewline: bareNewline ?? (isSubmission ? 'normalize' : 'reject'),
  };
}

const listenerSchema = z.strictObject(listenerShape).transform(completeListener);
const domainSchema = (directory: string) => z.strictObject(domainShape(directory));
const deliverySchema = (directory: string) => z.strictObject(deliveryShape(directory));
const tlsSchema = (directory: string) => z.strictObject(tlsShape(directory));

/** `directory` is where the file lies: relative paths begin there. */
export function fileSchema(directory: string) {
  return z.strictObject({
    hostname: values.hostName(),
    dataDir: values.path(directory).prefault('./data'),
    resolver: z.array(values.dnsServer()).default([]),
    listener: z.array(listenerSchema).default([]),
    tls: tlsSchema(directory).exactOptional(),
    domain: z.array(domainSchema(directory)).default([]),
    relay: z.strictObject(relayShape).prefault({}),
    delivery: deliverySchema(directory).prefault({}),
    limits: z.strictObject(limitsShape).prefault({}),
    dossier: z.strictObject(dossierShape).prefault({}),
  });
}

export type FileContent = z.output<ReturnType<typeof fileSchema>>;

/** The keys of every table, by its path without list indexes; '' is the top of the file. For suggestions. */
export const knownKeys: ReadonlyMap<string, readonly string[]> = new Map([
  ['', Object.keys(fileSchema('').shape)],
  ['listener', Object.keys(listenerShape)],
  ['tls', Object.keys(tlsShape(''))],
  ['domain', Object.keys(domainShape(''))],
  ['domain.dkim', Object.keys(dkimShape(''))],
  ['relay', Object.keys(relayShape)],
  ['delivery', Object.keys(deliveryShape(''))],
  ['limits', Object.keys(limitsShape)],
  ['dossier', Object.keys(dossierShape)],
]);

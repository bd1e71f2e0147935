/**
 * From `posthorn.toml` to a frozen Config: syntax, shape, agreement between keys, files on disk. Every problem is found in
 * one go and told with its line and its remedy. Knows nothing of what the values are used for.
 */

import { dirname, resolve } from 'node:path';
import type { TomlTable } from 'smol-toml';
import * as v from 'valibot';
import type { Config, TlsConfig } from './config.ts';
import { crossCheck } from './cross-checks.ts';
import { readDraft } from './draft.ts';
import { effectiveSettings, type Setting } from './effective.ts';
import { checkFiles } from './files.ts';
import { completeFilter } from './filter.ts';
import { toFindings } from './issues.ts';
import { checkLoops } from './loop-checks.ts';
import type { HostPort } from './network.ts';
import { completePolicy } from './policies.ts';
import { ConfigError } from './problem.ts';
import { type FileContent, fileSchema, shapes } from './schema.ts';
import { parseToml, readTomlFile, toProblems } from './toml-file.ts';
import { completeTransport, type TransportConfig } from './transport.ts';

export interface LoadOptions {
  /** False for commands that make the files which the configuration names. Default: true. */
  checkFiles?: boolean;
  /** False for commands that tell themselves what is wrong with certificates in files, and what follows. Default: true. */
  checkCertificates?: boolean;
}

/** Reads and validates a file. Rejects with a ConfigError that holds every problem. */
export async function loadConfig(file: string, options: LoadOptions = {}): Promise<Config> {
  const absolute = resolve(file);
  const toml = await readTomlFile(absolute, 'Name another file with --config, or create this one.');
  return parseConfig(toml, absolute, options);
}

/** The same for a text; `file` is its absolute path, where relative paths begin. */
export async function parseConfig(toml: string, file: string, options: LoadOptions = {}): Promise<Config> {
  return toConfig((await readContent(toml, file, options)).content, file);
}

/** What is in force by a file, in its own words. Rejects as `loadConfig`. */
export async function loadSettings(file: string, options: LoadOptions = {}): Promise<Setting[]> {
  const toml = await readTomlFile(resolve(file), 'Name another file with --config, or create this one.');
  const { raw, content } = await readContent(toml, resolve(file), options);
  // A list of tables that is not there says nothing.
  return effectiveSettings(raw, content).filter(
    ({ path, value, isDefault }) =>
      !(isDefault && shapes.has(path.join('.')) && Array.isArray(value) && value.length === 0),
  );
}

async function readContent(
  toml: string,
  file: string,
  options: LoadOptions,
): Promise<{ raw: TomlTable; content: FileContent }> {
  const raw = parseToml(toml, file);
  const directory = dirname(file);
  const result = v.safeParse(fileSchema(directory), raw);
  const draft = readDraft(raw, directory);
  const findings = [
    ...(result.success ? [] : toFindings(result.issues)),
    ...crossCheck(draft),
    ...(options.checkFiles === false ? [] : [...checkLoops(draft), ...(await checkFiles(draft, options))]),
  ];
  if (result.success && findings.length === 0) return { raw, content: result.output };
  throw new ConfigError(toProblems(findings, toml, file));
}

function toConfig(content: FileContent, file: string): Config {
  const { listener, domain, policy, transport, filter, site, source, limits, tls, certificate, ...rest } =
    content;
  const { idleSeconds, sessionSeconds, ...counts } = limits;
  const { relayHost, ...delivery } = rest.delivery;
  return freeze({
    ...rest,
    file,
    listeners: listener,
    domains: domain,
    ...(tls && { tls: toTls(tls) }),
    certificates: certificate.flatMap(({ cert, key }) =>
      cert === undefined || key === undefined ? [] : [{ cert, key }],
    ),
    issuedNames: certificate.flatMap(({ names }) => (names === undefined ? [] : [names])),
    policies: policy.map(completePolicy),
    filters: filter.map(completeFilter),
    sites: site,
    sources: source.map(({ senders = [], ...rest }) => ({ ...rest, senders })),
    transports: [
      ...transport.map(completeTransport),
      ...(relayHost === undefined ? [] : [everythingTo(relayHost)]),
    ],
    delivery,
    limits: { ...counts, idleMs: idleSeconds * 1000, sessionMs: sessionSeconds * 1000 },
  });
}

/** Half a pair does not come so far. */
const toTls = ({ cert, key }: NonNullable<FileContent['tls']>): TlsConfig =>
  cert === undefined || key === undefined ? {} : { cert, key };

const everythingTo = ({ host, port }: HostPort): TransportConfig =>
  completeTransport({ domains: ['*'], protocol: 'smtp', host, port });

function freeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) freeze(part);
  return Object.freeze(value);
}

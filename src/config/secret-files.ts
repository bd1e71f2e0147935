/** The files of a configuration that nobody else is to read. */

import type { Config } from './config.ts';
import { findReadable, type SecretSource } from './secret.ts';

function secretFiles({ transports, oauth, web, domains, tls, certificates }: Config): string[] {
  const secrets: (SecretSource | undefined)[] = [
    ...transports.map(({ way }) => ('login' in way ? way.login?.passwordFile : undefined)),
    oauth?.introspection?.clientSecretFile,
    web.metricsTokenFile,
  ];
  const keys = [
    ...domains.flatMap(({ dkim = [] }) => dkim.map(({ key }) => key)),
    ...(tls?.key === undefined ? [] : [tls.key]),
    ...certificates.map(({ key }) => key),
  ];
  return [...secrets.flatMap((source) => (source && 'file' in source ? [source.file] : [])), ...keys];
}

/** In words, each with what to do about it. */
export async function warningsOfSecrets(config: Config): Promise<string[]> {
  const readable = await findReadable([...new Set(secretFiles(config))]);
  return readable.map((file) => `every user of this machine may read ${file}: chmod o-rwx ${file}`);
}

/** Where a server's files go: as on any Unix machine, or all below a directory of one's own (`--prefix`). */

import { dirname, join } from 'node:path';

export interface Places {
  /** The configuration file. */
  config: string;
  /** DKIM keys. */
  keys: string;
  dataDir: string;
  /** Where units are put that nobody has installed. */
  units: string;
  /** Where systemd looks for units. */
  systemd: string;
  /** A directory of one's own: then nothing outside is touched, no user is made and no service started. */
  isApart: boolean;
}

export function placesFor(prefix?: string): Places {
  const root = prefix ?? '/';
  return {
    config: join(root, 'etc/posthorn/posthorn.toml'),
    keys: join(root, 'etc/posthorn/dkim'),
    dataDir: join(root, 'var/lib/posthorn'),
    units: join(root, 'etc/posthorn/systemd'),
    systemd: '/etc/systemd/system',
    isApart: prefix !== undefined,
  };
}

/** `posthorn` finds the configuration there by itself, or must be told. */
export const configOption = ({ config, isApart }: Places): string => (isApart ? ` --config ${config}` : '');

export const configDirectory = ({ config }: Places): string => dirname(config);

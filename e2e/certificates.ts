/** A certificate authority for one world, and certificates of servers, made by the openssl command. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runOk } from './process.ts';

export interface Certificate {
  /** Paths of PEM files. */
  cert: string;
  key: string;
}

export interface Authority {
  /** PEM file for the other side to trust. */
  caFile: string;
  /** A certificate for DNS names; 127.0.0.1 and localhost are always among its names. */
  issue(...names: string[]): Promise<Certificate>;
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30'];

export async function createAuthority(dir: string): Promise<Authority> {
  await mkdir(dir, { recursive: true });
  const caFile = join(dir, 'ca.pem');
  const caKey = join(dir, 'ca.key');
  const usage = 'keyUsage=critical,keyCertSign,cRLSign'; // mpop's GnuTLS wants an authority to be one in every respect.
  await openssl(['req', '-x509', ...newKey, '-subj', '/CN=Test authority', '-addext', usage], caFile, caKey);
  return {
    caFile,
    async issue(...names) {
      const [first = 'localhost'] = names;
      const cert = join(dir, `${first}.pem`);
      const key = join(dir, `${first}.key`);
      const alternatives = [...new Set([...names, 'localhost'])].map((name) => `DNS:${name}`).join(',');
      const extensions = [
        '-addext',
        `subjectAltName=${alternatives},IP:127.0.0.1`,
        '-addext',
        'basicConstraints=CA:FALSE',
      ];
      await openssl(
        ['req', '-x509', '-CA', caFile, '-CAkey', caKey, ...newKey, '-subj', `/CN=${first}`, ...extensions],
        cert,
        key,
      );
      return { cert, key };
    },
  };
}

async function openssl(args: string[], cert: string, key: string): Promise<void> {
  await runOk('openssl', [...args, '-out', cert, '-keyout', key]);
}

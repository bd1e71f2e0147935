/** What a server tells of its certificates from an authority, for the scenarios about them. */

import type { Posthorn } from '../peers/posthorn.ts';
import { eventually } from '../wait.ts';

export interface Issued {
  id: string;
  names: string[];
  certificate?: { names: string[]; spkiSha256: string; notAfter: number; issuer: string };
  renewAt?: number;
  failures: number;
  lastError?: { text: string };
  nextKey?: { sha256: string; waitsFor?: string };
}

interface Status {
  certificates: { names: string[]; origin: string }[];
  acme: { account?: string; certificates: Issued[] };
}

export async function issuedBy(server: Posthorn): Promise<Issued[]> {
  const { stdout } = await server.command(['tls', '--json']);
  const status: Status = JSON.parse(stdout.toString());
  return status.acme.certificates;
}

/** As soon as so many are there. */
export const allIssued = (server: Posthorn, count: number): Promise<Issued[]> =>
  eventually(
    'certificates',
    async () => {
      const issued = await issuedBy(server);
      const done = issued.filter(({ certificate }) => certificate !== undefined);
      return done.length >= count ? issued : undefined;
    },
    40_000,
  );

/** The certificates that are shown, as operators see them, and what they may ask of the authority. */

import { AcmeError } from '../acme/acme-error.ts';
import type { AcmeStatus } from '../acme/acme-status.ts';
import type { KnownCertificate } from '../net/tls-context.ts';
import type { Admin } from './admin.ts';
import { AdminError } from './admin-error.ts';
import type { TlsStatus } from './shapes/certificates.ts';

export interface CertificateParts {
  known(): KnownCertificate[];
  acme: AcmeOperations | undefined;
}

/** Of a running server. */
export interface AcmeOperations {
  status(): Promise<AcmeStatus>;
  renew(name: string | undefined, force: boolean): Promise<void>;
  rollover(name: string | undefined, isUrgent: boolean): Promise<void>;
  revoke(name: string | undefined): Promise<void>;
}

export type CertificateOperations = Pick<
  Admin,
  'tlsStatus' | 'renewCertificates' | 'rolloverKey' | 'revokeCertificate'
>;

export function certificateOperations(parts: CertificateParts | undefined): CertificateOperations {
  const running = () => {
    if (parts !== undefined) return parts;
    throw new AdminError(
      'no-server',
      'No server is running, and only a running one has certificates to show. Start it with: posthorn serve.',
    );
  };
  const status = async (): Promise<TlsStatus> => {
    const { known, acme } = running();
    return { certificates: known(), ...(acme && { acme: await acme.status() }) };
  };
  const authority = () => {
    const { acme } = running();
    if (acme !== undefined) return acme;
    throw new AdminError('bad-request', 'No certificate comes from an authority: there is no [acme] table.');
  };
  return {
    tlsStatus: status,
    async renewCertificates({ name, force }) {
      await refusalsAsTold(authority().renew(name, force));
      return status();
    },
    async rolloverKey({ name, isUrgent }) {
      await refusalsAsTold(authority().rollover(name, isUrgent));
      return status();
    },
    async revokeCertificate({ name }) {
      await refusalsAsTold(authority().revoke(name));
      return status();
    },
  };
}

async function refusalsAsTold(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (error instanceof AcmeError) throw new AdminError('refused', error.message, { cause: error });
    throw error;
  }
}

/** What is told of certificates. */

import type { AcmeStatus } from '../../acme/acme-status.ts';
import type { KnownCertificate } from '../../net/tls-context.ts';

export interface TlsStatus {
  /** Those that are shown, the preferred ones first. */
  certificates: KnownCertificate[];
  /** Absent where none comes from an authority. */
  acme?: AcmeStatus;
}

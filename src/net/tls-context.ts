/** Certificates and keys from PEM files → the TLS settings of our listeners. TLS 1.2 and newer (RFC 8996). */

import { constants } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContext } from 'node:tls';

export type { SecureContext };

/**
 * Nobody renegotiates: in TLS 1.2 each time costs us far more than the client (CVE-2011-1473), and 1.3 has done away
 * with it. Rejects with a message that names the file when it cannot be read, or when certificate and key do not fit.
 */
export async function loadTlsContext(files: { cert: string; key: string }): Promise<SecureContext> {
  const [cert, key] = await Promise.all([readFile(files.cert), readFile(files.key)]);
  try {
    return createSecureContext({
      cert,
      key,
      minVersion: 'TLSv1.2',
      honorCipherOrder: true,
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`Cannot use certificate ${files.cert} with key ${files.key}: ${reason}`, {
      cause: error,
    });
  }
}

/**
 * DKIM keys: made, read from PEM, and published as a TXT record. It knows no message and no signature.
 * RFC 6376 §3.6.1, RFC 8301 §3.2 (key sizes), RFC 8463 §4 (Ed25519).
 */

import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';

const generate = promisify(generateKeyPair);

export type DkimKeyType = 'rsa' | 'ed25519';

/** Verifiers must not accept less than 1024 bits (RFC 8301 §3.2); signers should use 2048 at least. */
const leastRsaBits = 1024;
const generatedRsaBits = 2048;

/** A character-string of a TXT record holds at most 255 octets (RFC 1035 §3.3). */
const characterStringOctets = 255;

export interface DkimRecord {
  /** The record as one text: `v=DKIM1; k=rsa; p=…`. */
  value: string;
  /** The same in the character-strings of one TXT record, for zone files and DNS servers. */
  strings: string[];
}

/** A new private key as PKCS #8 PEM, made in the thread pool. `rsa` has 2048 bits. */
export async function generateDkimKey(type: DkimKeyType = 'rsa'): Promise<string> {
  const { privateKey } =
    type === 'rsa'
      ? await generate('rsa', { modulusLength: generatedRsaBits })
      : await generate('ed25519', {});
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/**
 * Reads a private key (PKCS #8 or PKCS #1 PEM, not encrypted).
 * @throws Error whose message says what is wrong with the key and what to do.
 */
export function parseDkimKey(pem: string): { key: KeyObject; type: DkimKeyType } {
  const key = readPem(pem);
  const type = key.asymmetricKeyType;
  if (type !== 'rsa' && type !== 'ed25519') {
    throw new Error(`Cannot use DKIM key: its type is ${type}; DKIM knows rsa and ed25519 keys`);
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (type === 'rsa' && bits < leastRsaBits) {
    throw new Error(
      `Cannot use DKIM key: it has ${bits} bits, receivers refuse less than ${leastRsaBits} (RFC 8301); ` +
        `generate one of ${generatedRsaBits} bits`,
    );
  }
  return { key, type };
}

function readPem(pem: string): KeyObject {
  if (/-----BEGIN (RSA )?PUBLIC KEY-----/.test(pem)) {
    throw new Error('Cannot read DKIM key: this is the public key; the file must hold the private key');
  }
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type:.*ENCRYPTED/m.test(pem)) {
    throw new Error('Cannot read DKIM key: it is encrypted with a passphrase; store it without one');
  }
  try {
    return createPrivateKey(pem);
  } catch (error) {
    throw new Error('Cannot read DKIM key: expected a private key in PEM (-----BEGIN PRIVATE KEY-----)', {
      cause: error,
    });
  }
}

/** The TXT record to publish at `<selector>._domainkey.<domain>`, from either half of the key as PEM or KeyObject. */
export function dkimRecord(key: string | KeyObject): DkimRecord {
  const publicKey = typeof key !== 'string' && key.type === 'public' ? key : createPublicKey(key);
  const value = `v=DKIM1; k=${publicKey.asymmetricKeyType}; p=${publicKeyData(publicKey).toString('base64')}`;
  const strings = value.match(new RegExp(`.{1,${characterStringOctets}}`, 'g')) ?? [];
  return { value, strings };
}

/** RSA: SubjectPublicKeyInfo, as everybody publishes it. Ed25519: the bare 32 octets (RFC 8463 §4.2). */
function publicKeyData(publicKey: KeyObject): Buffer {
  const info = publicKey.export({ type: 'spki', format: 'der' });
  return publicKey.asymmetricKeyType === 'ed25519' ? info.subarray(-32) : info;
}

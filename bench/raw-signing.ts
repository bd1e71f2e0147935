/**
 * How many RSA-2048 signatures a second the thread pool makes here and now: nothing but `crypto.sign`, so that what
 * signing must cost can be told from what it does cost. A process of its own, with the pool's size of bin/posthorn.
 * Prints one number.
 */

import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { promisify } from 'node:util';

const seconds = Number(process.argv[2] ?? 3);
/** More than the pool has threads: none of them ever waits for work. */
const atOnce = 32;
/** What a DKIM signature is made over: a canonical header of usual length. */
const header = Buffer.alloc(1_000, 'h');

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const key = createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' }));
const signInPool = promisify((done: (error: Error | null, signature: Buffer) => void) =>
  sign('sha256', header, key, done),
);

let signatures = 0;
const startedAt = performance.now();
const lane = async () => {
  while (performance.now() - startedAt < seconds * 1000) {
    await signInPool();
    signatures += 1;
  }
};
await Promise.all(Array.from({ length: atOnce }, lane));
console.log(signatures / ((performance.now() - startedAt) / 1000));

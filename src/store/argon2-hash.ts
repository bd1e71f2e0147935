/**
 * Argon2id hashes in PHC string form that came from elsewhere: whoever knows the name of an account has us compute its hash,
 * so what one may cost is for us to say (RFC 9106 §3.1 has the parameters and their bounds).
 */

/** KiB of one: libsodium's "moderate", four times what Dovecot takes by default. */
const maxMemoryKib = 256 * 1024;
/** Memory times passes, in KiB: some two seconds. */
const maxWorkKib = 4 * maxMemoryKib;
const maxLanes = 16;
const minSaltBytes = 8;
const minTagBytes = 4;
/** Of salt and tag. */
const maxPartBytes = 128;

const form = /^\$argon2id\$v=19\$m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,10})\$([\w+/]{1,256})\$([\w+/]{1,256})$/;

/** What keeps us from checking a password by it, to stand after "argon2id"; undefined where nothing does. */
export function faultOfHash(hash: string): string | undefined {
  const [, m, t, p, salt, tag] = form.exec(hash) ?? [];
  if (salt === undefined || tag === undefined) return 'that is not $argon2id$v=19$m=…,t=…,p=…$salt$hash';
  const [memory, passes, lanes] = [Number(m), Number(t), Number(p)];
  if (passes < 1 || lanes < 1 || memory < 8 * lanes) return `of impossible cost (m=${m},t=${t},p=${p})`;
  if (memory > maxMemoryKib || memory * passes > maxWorkKib || lanes > maxLanes)
    return `that costs too much at each login (m=${m},t=${t},p=${p}; at most m=${maxMemoryKib}, m·t=${maxWorkKib}, p=${maxLanes})`;
  const isCut = isOutside(salt, minSaltBytes) || isOutside(tag, minTagBytes);
  return isCut ? 'whose salt or hash is cut off' : undefined;
}

/** Base64 without padding. */
function isOutside(text: string, minBytes: number): boolean {
  const bytes = Math.floor((text.length * 3) / 4);
  return text.length % 4 === 1 || bytes < minBytes || bytes > maxPartBytes;
}

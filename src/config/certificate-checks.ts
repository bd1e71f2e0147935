/** What must agree between the keys that say where certificates come from. */

import type { Draft, Finding } from './draft.ts';

export function checkCertificates({ tls }: Draft): Finding[] {
  const { cert, key } = tls;
  if ((cert === undefined) === (key === undefined)) return [];
  const [there, missing] = cert === undefined ? ['key', 'cert'] : ['cert', 'key'];
  const what = `there is ${there === 'cert' ? 'a' : 'the private'} ${there} without its ${missing}`;
  const remedy = 'Give both, or neither: then the certificate is signed by itself.';
  return [{ path: ['tls', there], what, remedy }];
}

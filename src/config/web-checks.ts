/** What must agree about the web listeners: who is in front of them, and what they can serve. */

import type { DomainDraft, Draft, Finding, ListenerDraft } from './draft.ts';

export const checkWeb = ({ listeners, domains }: Draft): Finding[] => [
  ...listeners.flatMap(checkProxied),
  ...domains.flatMap(checkHosts),
];

function checkProxied({ protocol, proxied, proxyProtocol }: ListenerDraft, index: number): Finding[] {
  if (proxied !== true || protocol === undefined) return [];
  const path = ['listener', index, 'proxied'];
  if (protocol !== 'http') {
    const remedy = 'Remove this line; only http has it, for a web server in front that does TLS.';
    return [{ path, what: `${protocol} is not behind a web server`, remedy }];
  }
  if (proxyProtocol === undefined) return [];
  const what = 'whoever is in front says in one way whom it speaks for';
  const remedy = 'Keep proxied (X-Forwarded-For) or proxyProtocol (a PROXY header), and remove the other.';
  return [{ path, what, remedy }];
}

/** RFC 8461 §3.2: only a policy that asks for nothing may name no host. */
function checkHosts({ mtaSts }: DomainDraft, index: number): Finding[] {
  if (mtaSts?.mx?.length !== 0 || mtaSts.mode === 'none') return [];
  const remedy = 'Name the MX hosts, or remove this line: then it is our hostname.';
  return [{ path: ['domain', index, 'mtaSts', 'mx'], what: 'no host could take mail', remedy }];
}

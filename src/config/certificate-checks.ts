/** What must agree between the keys that say where certificates come from. */

import type { CertificateDraft, Draft, Finding } from './draft.ts';

export function checkCertificates(draft: Draft): Finding[] {
  return [
    ...checkTls(draft),
    ...draft.certificates.flatMap((certificate, index) => checkCertificate(certificate, index, draft)),
    ...checkAcme(draft),
  ];
}

function checkTls({ tls: { cert, key } }: Draft): Finding[] {
  if ((cert === undefined) === (key === undefined)) return [];
  const there = cert === undefined ? 'key' : 'cert';
  const remedy = 'Give both, or neither: then it comes by [acme], or is signed by itself.';
  return [{ path: ['tls', there], what: halfText(there), remedy }];
}

const halfText = (there: 'cert' | 'key'): string =>
  there === 'cert' ? 'there is a certificate without its key' : 'there is a key without its certificate';

function checkCertificate({ cert, key, names }: CertificateDraft, index: number, { acme }: Draft): Finding[] {
  const path = ['certificate', index];
  const isPair = cert !== undefined || key !== undefined;
  if (names === undefined && (cert === undefined) !== (key === undefined)) {
    const there = cert === undefined ? 'key' : 'cert';
    return [{ path: [...path, there], what: halfText(there), remedy: 'Give both.' }];
  }
  if (isPair === (names !== undefined)) {
    const what = isPair ? 'it comes from files and by ACME at once' : 'it does not say where it comes from';
    const remedy = 'Give cert and key, two files, or names, for one that comes by [acme].';
    return [{ path, what, remedy }];
  }
  if (names === undefined) return [];
  return checkNames(names, [...path, 'names'], acme);
}

function checkNames(names: readonly string[], path: (string | number)[], acme: Draft['acme']): Finding[] {
  if (names.length === 0) return [{ path, what: 'names nothing', remedy: 'Name a host, or remove this.' }];
  if (acme === undefined) {
    const remedy = 'Add [acme], or give cert and key instead.';
    return [{ path, what: 'there is no [acme] table, so nobody issues it', remedy }];
  }
  const any = names.find((name) => name.startsWith('*.'));
  if (any === undefined || acme.challenge === 'dns-01') return [];
  const remedy = 'Set challenge = "dns-01" in [acme], with a hook; or give each name.';
  return [{ path, what: `${any} can be proven by DNS only`, remedy }];
}

function checkAcme({ acme, listeners }: Draft): Finding[] {
  if (acme === undefined || acme.enabled === false) return [];
  const { challenge, hook = [], termsAgreed, eabKeyId, eabKeyFile } = acme;
  const at = (key: string, what: string, remedy: string) => ({ path: ['acme', key], what, remedy });
  const findings: Finding[] = [];
  if (termsAgreed === false)
    findings.push(
      at(
        'termsAgreed',
        "no authority issues a certificate to who has not agreed to its terms (Let's Encrypt: https://letsencrypt.org/repository/)",
        'Read them, and write termsAgreed = true; or enabled = false.',
      ),
    );
  const hears = (wanted: string) => listeners.some(({ protocol }) => protocol === wanted);
  if (challenge === 'http-01' && !hears('http'))
    findings.push(
      at(
        'challenge',
        'the authority looks at port 80 (http-01), where nothing listens',
        'Add a listener:\n[[listener]]\nprotocol = "http"',
      ),
    );
  if (challenge === 'tls-alpn-01' && !hears('https'))
    findings.push(
      at(
        'challenge',
        'the authority looks at port 443 (tls-alpn-01), where nothing listens',
        'Add a listener:\n[[listener]]\nprotocol = "https"',
      ),
    );
  if (challenge === 'dns-01' && !hook[0]?.startsWith('/'))
    findings.push(
      at(
        'hook',
        'dns-01 needs a program that enters and removes TXT records, by its full path',
        'Give one: hook = ["/usr/local/bin/dns-hook"]; it is called with add or remove, the name, and the text.',
      ),
    );
  if ((eabKeyId === undefined) !== (eabKeyFile === undefined))
    findings.push(
      at(
        eabKeyId === undefined ? 'eabKeyFile' : 'eabKeyId',
        'an external account has an id and a key',
        'Give both eabKeyId and eabKeyFile, or neither.',
      ),
    );
  return findings;
}

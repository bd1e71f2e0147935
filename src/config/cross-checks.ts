/**
 * What must agree between the keys of a configuration: listeners with TLS, plain-text passwords with loopback, names
 * with each other. Looks at values only; the file system is for `files.ts`.
 */

import { checkCertificates } from './certificate-checks.ts';
import { checkDomains } from './domain-checks.ts';
import type { DeliveryDraft, Draft, Finding, ListenerDraft, SiteDraft, SourceDraft } from './draft.ts';
import { checkFilters } from './filter-checks.ts';
import { ipVersion, isLoopback } from './network.ts';
import { checkPolicies } from './policies.ts';
import { checkTransports } from './transport-checks.ts';
import { checkWaits } from './wait-checks.ts';
import { checkWeb } from './web-checks.ts';

export function crossCheck(draft: Draft): Finding[] {
  return [
    ...draft.listeners.flatMap((listener, index) => checkListener(listener, index, draft)),
    ...findDuplicates(draft.listeners, listenerKey).map(({ index, key }) => ({
      path: ['listener', index],
      what: `two listeners want ${key}`,
      remedy: 'Give one of them another address or port, or remove it.',
    })),
    ...findDuplicates(draft.domains, (domain) => domain.name).map(({ index, key }) => ({
      path: ['domain', index, 'name'],
      what: `the domain ${key} is here twice`,
      remedy: 'Put everything about it into one [[domain]] table.',
    })),
    ...checkDomains(draft),
    ...checkCertificates(draft),
    ...findDuplicates(draft.sources, (source) => source.address).map(({ index, key }) => ({
      path: ['source', index, 'address'],
      what: `the source ${key} is here twice`,
      remedy: 'Put everything about it into one [[source]] table.',
    })),
    ...draft.sources.flatMap((source, index) =>
      checkSource(source, draft).map((finding) => ({ ...finding, path: ['source', index, ...finding.path] })),
    ),
    ...checkRetry(draft.delivery),
    ...checkSites(draft.sites),
    ...checkContact(draft),
    ...checkPolicies(draft),
    ...checkWaits(draft),
    ...checkSealing(draft),
    ...checkTransports(draft),
    ...checkFilters(draft),
    ...checkWeb(draft),
  ];
}

/** What DNS is asked about, and whose mail it is for. */
function checkSource(
  { address, publicAddress, senders }: SourceDraft,
  { domains, hasTrustedNetworks }: Draft,
): Finding[] {
  const findings: Finding[] = [];
  if (address !== undefined && publicAddress !== undefined && ipVersion(address) !== ipVersion(publicAddress))
    findings.push({
      path: ['publicAddress'],
      what: `${publicAddress} is not what receivers see of ${address}: one of them is IPv4, the other IPv6`,
      remedy: 'Give each of the two a [[source]] of its own.',
    });
  if (senders?.length === 0)
    findings.push({
      path: ['senders'],
      what: 'names no sender',
      remedy: 'Name addresses or domains, or remove this line: then it is for everybody.',
    });
  // Whoever relays through us may send in any name; our own users only in theirs.
  if (hasTrustedNetworks) return findings;
  senders?.forEach((sender, index) => {
    const domain = sender.slice(sender.lastIndexOf('@') + 1);
    if (domains.some(({ name }) => name === undefined || name === domain)) return;
    const what = `${domain} is no [[domain]] of ours, and no trusted network sends in its name`;
    const ours = domains.map(({ name }) => name).join(', ');
    findings.push({
      path: ['senders', index],
      what,
      remedy: ours === '' ? 'Add the [[domain]].' : `Known are ${ours}.`,
    });
  });
  return findings;
}

/** Reports are sent in its name, and count only with a signature of its domain (RFC 8460 §3). */
function checkContact({ contact, domains }: Draft): Finding[] {
  if (contact === undefined) return [];
  const path = ['reports', 'contact'];
  const domain = contact.slice(contact.lastIndexOf('@') + 1);
  if (!domains.some(({ name, dkim }) => name === domain && dkim !== undefined)) {
    const what = `reports from ${domain} cannot be signed`;
    return [{ path, what, remedy: 'Name an address of a [[domain]] that has a dkim key.' }];
  }
  if (/^[\x21-\x7e]*$/.test(contact)) return [];
  const what = `not everybody can write to ${contact}`;
  return [{ path, what, remedy: 'Name an address in ASCII.' }];
}

/** A seal is made with the key of the domain that forwards. */
function checkSealing({ seals, domains }: Draft): Finding[] {
  if (!seals || domains.some(({ dkim }) => dkim !== undefined)) return [];
  const remedy = 'Give a [[domain]] a dkim key (posthorn dkim generate), or remove this line.';
  return [{ path: ['arc', 'seal'], what: 'nothing can be sealed without a key', remedy }];
}

function checkListener(listener: ListenerDraft, index: number, draft: Draft): Finding[] {
  return [
    ...checkTls(listener, index, draft.hasTls),
    ...checkPlaintext(listener, index),
    ...checkProxies(listener, index),
    ...checkSocket(listener, index),
  ];
}

function checkProxies({ proxyProtocol }: ListenerDraft, index: number): Finding[] {
  if (proxyProtocol?.length !== 0) return [];
  const remedy = 'Name the addresses of the proxies, or remove this line: then clients come directly.';
  return [{ path: ['listener', index, 'proxyProtocol'], what: 'names no proxy', remedy }];
}

function checkSocket({ protocol, socket, proxyProtocol }: ListenerDraft, index: number): Finding[] {
  const path = ['listener', index, 'socket'];
  if (socket === undefined || protocol === undefined) return [];
  if (protocol !== 'lmtp')
    return [{ path, what: `${protocol} has no Unix socket`, remedy: 'Give it an address and a port.' }];
  if (proxyProtocol === undefined) return [];
  return [{ path, what: 'no proxy comes by a Unix socket', remedy: 'Remove proxyProtocol.' }];
}

/** Passwords cross only encrypted connections (RFC 8314 §4.1), so every protocol that asks for one needs a certificate. */
function checkTls(
  { protocol, allowPlaintextAuth }: ListenerDraft,
  index: number,
  hasTls: boolean,
): Finding[] {
  if (
    hasTls ||
    protocol === undefined ||
    protocol === 'smtp' ||
    protocol === 'lmtp' ||
    protocol === 'http' ||
    (protocol === 'pop3' && allowPlaintextAuth)
  )
    return [];
  const plain = protocol === 'pop3' ? ' For tests on loopback, allowPlaintextAuth = true does without.' : '';
  return [
    {
      path: ['listener', index, 'protocol'],
      what: `${protocol === 'https' ? 'https' : `${protocol} takes passwords, and so`} needs TLS, but there is no [tls] table`,
      remedy: `Add one, or [acme] for a certificate from an authority:\n[tls]\ncert = "server.pem"\nkey = "server.key"${plain === '' ? '' : `\n${plain.trim()}`}`,
    },
  ];
}

function checkPlaintext({ protocol, address, allowPlaintextAuth }: ListenerDraft, index: number): Finding[] {
  if (!allowPlaintextAuth || protocol === undefined) return [];
  const path = ['listener', index, 'allowPlaintextAuth'];
  if (protocol !== 'pop3') {
    return [
      {
        path,
        what: `${protocol} never takes passwords without TLS`,
        remedy: 'Remove this line; only pop3 has it.',
      },
    ];
  }
  if (address === undefined || isLoopback(address)) return [];
  return [
    {
      path,
      what: `passwords would cross the network in clear text at ${address}`,
      remedy: 'Remove this line and use TLS, or set address = "127.0.0.1".',
    },
  ];
}

/** A message must live to see its second attempt, and its sender must hear of a delay before hearing of the end. */
function checkRetry({ retryMinutes, lifetimeHours, delayWarningHours }: DeliveryDraft): Finding[] {
  const [first] = retryMinutes ?? [60];
  const path = (key: string) => ['delivery', key];
  if (first === undefined)
    return [
      {
        path: path('retryMinutes'),
        what: 'the list is empty, so nothing would be tried twice',
        remedy:
          'Remove this line for the usual waits, or give some: retryMinutes = [5, 15, 30, 60, 120, 240, 360].',
      },
    ];
  if (lifetimeHours === undefined) return [];
  return [
    ...(first < 60 * lifetimeHours
      ? []
      : [
          {
            path: path('retryMinutes'),
            what: `the second attempt would come after ${first} minutes, when a message is given up already (lifetimeHours = ${lifetimeHours})`,
            remedy: 'Begin the list with a shorter wait, such as 5, or raise lifetimeHours.',
          },
        ]),
    ...((delayWarningHours ?? 0) < lifetimeHours
      ? []
      : [
          {
            path: path('delayWarningHours'),
            what: `nobody would be warned after ${delayWarningHours} hours: a message is given up after ${lifetimeHours}`,
            remedy: 'Give a smaller number of hours, such as 4, or 0 for no warnings.',
          },
        ]),
  ];
}

/** Port 0 is another port each time. */
const listenerKey = ({ address, port, socket }: ListenerDraft): string | undefined =>
  socket !== undefined
    ? `the socket ${socket}`
    : !port || address === undefined
      ? undefined
      : `${address} port ${port}`;

/** The later ones of those that have a key in common. */
function findDuplicates<T>(items: readonly T[], keyOf: (item: T) => string | undefined) {
  const seen = new Set<string>();
  const duplicates: { index: number; key: string }[] = [];
  items.forEach((item, index) => {
    const key = keyOf(item);
    if (key === undefined) return;
    if (seen.has(key)) duplicates.push({ index, key });
    seen.add(key);
  });
  return duplicates;
}

/** Every [[site]] says which it is, and no two say the same. */
function checkSites(sites: readonly SiteDraft[]): Finding[] {
  const names = sites.flatMap(({ mx = [], domains = [] }, index) => [
    ...mx.map((name) => ({ index, key: 'mx', name })),
    ...domains.map((name) => ({ index, key: 'domains', name })),
  ]);
  const nameless = sites.flatMap(({ mx, domains }, index) =>
    mx?.length === 0 && domains?.length === 0
      ? [
          {
            path: ['site', index],
            what: 'this table does not say which site it is about',
            remedy:
              'Add mx = ["google.com"], what the names of its MX hosts end in, or domains = ["example.org"].',
          },
        ]
      : [],
  );
  const twice = findDuplicates(names, ({ key, name }) => `${key} ${name}`).map(({ index }) => ({
    path: ['site', names[index]?.index ?? 0, names[index]?.key ?? ''],
    what: `${names[index]?.name} is in two [[site]] tables`,
    remedy: 'Put everything about it into one of them.',
  }));
  return [...nameless, ...twice];
}

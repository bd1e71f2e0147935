/** What follows from what was seen at the published addresses. Pure. */

import type { X509Certificate } from 'node:crypto';
import type { DoorSeen } from './door.ts';
import { type Finding, found, good } from './finding.ts';

export interface DoorJudging {
  hostname: string;
  /** That of the certificate on disk, if it is known. */
  ownCertificate: X509Certificate | undefined;
  /** Addresses behind NAT, that this machine may be unable to reach from inside. */
  translated: ReadonlySet<string>;
}

export const isOurs = (seen: DoorSeen, { hostname, ownCertificate }: DoorJudging): boolean =>
  seen.greetedBy === hostname ||
  (ownCertificate !== undefined && seen.chain?.[0]?.fingerprint256 === ownCertificate.fingerprint256);

export function doorFindings(seen: DoorSeen, judging: DoorJudging): Finding[] {
  const { outcome, host, address, port } = seen;
  const place = `${host} (${address}), port ${port}`;
  if (outcome.kind === 'closed') {
    if (judging.translated.has(address))
      return [
        found('door-untested', {
          evidence: `${place}: ${outcome.why}`,
          remedy:
            'From behind NAT, many routers do not let you reach your own public address: try it from elsewhere.',
        }),
      ];
    return [
      found('door-closed', {
        evidence: `${place}: ${outcome.why}`,
        remedy:
          'No mail arrives there. Does the server run (systemctl status posthorn), and does the firewall let port 25 in?',
      }),
    ];
  }
  if (outcome.kind === 'refuses')
    return [
      found('door-refuses', {
        evidence: `${place}: ${outcome.why}`,
        remedy: 'See whether this address is banned (posthorn bans list), or the server overloaded.',
      }),
    ];
  if (!isOurs(seen, judging))
    return [
      found('door-other-server', {
        evidence: `${place}: ${seen.greetedBy ?? 'somebody without a name'} answers, not ${judging.hostname}`,
        remedy:
          'Mail for the domain goes there. Correct the address in DNS, or the port forwarding of the router.',
      }),
    ];
  if (outcome.kind === 'tls-fails')
    return [
      found('door-tls-fails', {
        evidence: `${place}: ${outcome.why}`,
        remedy:
          'Many senders then do not deliver at all. See the log of the server, and certificate and key.',
      }),
    ];
  if (seen.tls === undefined)
    return [
      found('door-no-starttls', {
        evidence: `${place} does not offer STARTTLS`,
        remedy:
          'Mail comes in clear text, and some senders refuse to send it. Configure a certificate in [tls].',
      }),
    ];
  const changed =
    judging.ownCertificate !== undefined &&
    seen.chain?.[0]?.fingerprint256 !== judging.ownCertificate.fingerprint256;
  if (changed)
    return [
      found('certificate-old-served', {
        evidence: `${place} shows another certificate than the one on disk`,
        remedy: 'Let the server read it again: posthorn reload.',
      }),
    ];
  return [good('STARTTLS', `${place}: ${seen.tls}`)];
}

export interface RelayJudging {
  /** An address that is none of ours. */
  stranger: string;
  /** Addresses that must take mail. */
  mailboxes: readonly string[];
  /** This machine may relay, so that the try shows nothing. */
  isTrusted: boolean;
}

export function relayFindings(seen: DoorSeen, { stranger, mailboxes, isTrusted }: RelayJudging): Finding[] {
  const findings: Finding[] = [];
  const relayed = seen.replies.get(stranger);
  if (isTrusted)
    findings.push(
      found('relay-untested', {
        evidence: `${seen.address} is in trustedNetworks, and may relay`,
        remedy: 'Right for this machine itself. That others may not can only be tried from elsewhere.',
      }),
    );
  else if (relayed?.isTaken)
    findings.push(
      found('relay-open', {
        evidence: `the server takes mail from anybody for ${relayed.text}`,
        remedy:
          'It will be on every block list within days. Narrow [relay] trustedNetworks; look at proxies that hide who comes.',
      }),
    );
  const asked = mailboxes.map((address) => ({ address, reply: seen.replies.get(address) }));
  for (const { address, reply } of asked) {
    if (reply === undefined || reply.isTaken) continue;
    findings.push(
      reply.isRefused
        ? found('mailbox-missing', {
            about: address,
            evidence: reply.text,
            remedy: `Add it: posthorn account add ${address}, or posthorn alias ${address} SOMEBODY; or set postmaster in its [[domain]].`,
          })
        : found('mailbox-unknown', { about: address, evidence: reply.text, remedy: 'Try again later.' }),
    );
  }
  if (findings.length > 0) return findings;
  return [
    ...(relayed?.isRefused ? [good('relay', 'strangers are refused')] : []),
    good('mailboxes', `${mailboxes.join(', ')} take mail`),
  ];
}

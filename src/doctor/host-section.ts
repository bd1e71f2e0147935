/** The server by its name, as others see it: addresses, certificate, DANE, CAA, and what answers at port 25. */

import type { X509Certificate } from 'node:crypto';
import { examineAddresses } from './addresses.ts';
import { textsOf, typeOf } from './answers.ts';
import { examineCaa } from './caa.ts';
import { examineCertificate } from './certificate.ts';
import { examineDane } from './dane.ts';
import { type DoorSeen, knock } from './door.ts';
import { type DoorJudging, doorFindings, isOurs, relayFindings } from './door-findings.ts';
import type { Examining } from './examining.ts';
import { type Finding, found, type Section, verdictOf } from './finding.ts';
import { reportMailboxes } from './mailboxes.ts';
import { examineOwnFiles } from './own-files.ts';
import { examineSpf } from './spf.ts';

export async function lookAtHost(examining: Examining): Promise<Section> {
  const { config, looks, wanted, facts, limit } = examining;
  const { hostname } = config;
  const hostSpf = wanted.filter(
    ({ purpose, name }) => purpose === 'spf' && !facts.domains.some((domain) => domain.name === name),
  );
  const [doors, addresses, caa, spf] = await Promise.all([
    lookAtDoors(examining),
    Promise.all(
      addressesByName(examining).map((records) =>
        examineAddresses({ looks, wanted: records, allowPrivate: config.delivery.allowPrivateAddresses }),
      ),
    ),
    lookAtCaa(examining),
    Promise.all(
      hostSpf.map((record) =>
        examineSpf({
          looks,
          signal: limit,
          wanted: record,
          senders: facts.sending.filter(({ ehloName }) => ehloName === record.name),
        }),
      ),
    ),
  ]);
  const dane = await examineDane({
    looks,
    hostname,
    wanted: wanted.filter(({ purpose }) => purpose === 'dane'),
    chain: doors.chain,
    now: examining.clock.now(),
    nextKey: facts.tlsKeys.find(({ role }) => role === 'next')?.sha256,
  });
  const files = await examineOwnFiles(config, facts.unusable);
  const findings = [...addresses.flat(), ...spf.flat(), ...files, ...doors.findings, ...dane, ...caa];
  return {
    section: 'this server, as others see it',
    examined: [{ name: hostname, verdict: verdictOf(findings), findings, isDomain: true }],
  };
}

/** Of the web's names, those that are in DNS: for others nothing is asked for yet. */
async function lookAtCaa({ looks, wanted, facts, config }: Examining): Promise<Finding[]> {
  const records = wanted.filter(({ purpose }) => purpose === 'caa');
  const asked = (facts.acme?.certificates ?? []).slice(0, maxCertificates);
  const names = await Promise.all(
    asked.map(async ({ name, isOptional }) => {
      if (!isOptional) return [name];
      const seen = await Promise.all((['A', 'AAAA'] as const).map((type) => looks.see(name, type)));
      return seen.some(({ status }) => status === 'found') ? [name] : [];
    }),
  );
  const all = [...new Set([config.hostname, ...names.flat()])];
  return examineCaa({ looks, names: all, wanted: records });
}

/** Certificates whose CAA is looked at; a name of each, and those above it. */
const maxCertificates = 50;

const addressesByName = ({ wanted }: Examining) => [
  ...Map.groupBy(
    wanted.filter(({ purpose }) => purpose === 'address'),
    ({ name }) => name,
  ).values(),
];

interface Doors {
  findings: Finding[];
  /** As the server shows it; else as it is on disk. */
  chain: readonly X509Certificate[];
}

/** Addresses that are tried. */
const maxDoors = 6;

async function lookAtDoors(examining: Examining): Promise<Doors> {
  const { config, looks, dial, limit, ports, chain, clock } = examining;
  const { hostname } = config;
  const seen = await Promise.all((['A', 'AAAA'] as const).map((type) => looks.see(hostname, type)));
  const addresses = seen.flatMap(textsOf).slice(0, maxDoors);
  const mailboxes = await reportMailboxes(examining);
  // No such top-level domain will ever be (RFC 6761 §6.4).
  const stranger = `relay-test@${examining.nobody}.invalid`;
  const strangersFor = (address: string) =>
    examining.asksRelay && !examining.mayRelay(address) ? [stranger] : [];
  const doors = await Promise.all(
    addresses.map((address, index) =>
      knock({ dial, ehloName: hostname, signal: limit }, { host: hostname, address, port: ports.mail }, [
        ...strangersFor(address),
        ...(index === 0 ? mailboxes : []),
      ]),
    ),
  );
  const judging = judgingOf(examining);
  const own = doors.filter((door) => door.outcome.kind === 'open' && isOurs(door, judging));
  const [asked] = own;
  const shown = own.find((door) => door.chain !== undefined);
  const parts = { hostname, now: clock.now() };
  const certificate =
    chain.length > 0
      ? examineCertificate({ ...parts, chain, where: 'on disk', distrust: distrustOf(shown, chain) })
      : examineCertificate({
          ...parts,
          chain: shown?.chain ?? [],
          where: 'as it is shown',
          distrust: shown?.distrust,
        });
  const findings = [
    ...certificate,
    ...tlsAbsence(examining),
    ...unroutable(doors.flatMap((door) => doorFindings(door, judging))),
    ...(asked === undefined
      ? []
      : relayFindings(asked, { stranger, mailboxes, isTrusted: examining.mayRelay(asked.address) })),
    ...own
      .slice(1)
      .flatMap((door) =>
        relayFindings(door, { stranger, mailboxes: [], isTrusted: examining.mayRelay(door.address) }).filter(
          ({ id }) => id === 'relay-open',
        ),
      ),
  ];
  return { findings, chain: shown?.chain ?? chain };
}

function judgingOf({ config, chain }: Examining): DoorJudging {
  const { sources, hostname } = config;
  const translated = sources.flatMap(({ address, publicAddress = address }) =>
    publicAddress === address ? [] : [publicAddress],
  );
  return { hostname, ownCertificate: chain[0], translated: new Set(translated) };
}

/** What a handshake has found counts for the certificate on disk where it is the same. */
const distrustOf = (door: DoorSeen | undefined, chain: readonly X509Certificate[]): string | undefined =>
  door?.chain?.[0]?.fingerprint256 === chain[0]?.fingerprint256 ? door?.distrust : undefined;

const tlsAbsence = ({ config }: Examining): Finding[] =>
  config.tls !== undefined || config.certificates.length > 0 || config.acme !== undefined
    ? []
    : [
        found('certificate-absent', {
          evidence: 'the configuration has neither [tls] nor [acme]',
          remedy:
            'Add [acme] to have one come by itself (docs/TLS.md), or [tls] with cert and key; an empty [tls] makes one that is signed by itself.',
        }),
      ];

/** Without IPv6 on this machine nothing can be said of how others find it there. */
function unroutable(findings: Finding[]): Finding[] {
  return findings.map((finding) =>
    finding.id === 'door-closed' &&
    /ENETUNREACH|EHOSTUNREACH|EADDRNOTAVAIL/.test(finding.evidence) &&
    typeOf(addressIn(finding.evidence)) === 'AAAA'
      ? found('door-untested', {
          evidence: finding.evidence,
          remedy: 'This machine has no IPv6: try it from elsewhere.',
        })
      : finding,
  );
}

const addressIn = (evidence: string): string => /\(([^)]*)\)/.exec(evidence)?.[1] ?? '';

/** What must agree in `[[transport]]` tables: each by itself, with each other, and with the rest. Looks at values only. */

import { unknownVariables, variableNames } from '../mail/variables.ts';
import type { Draft, Finding, TransportDraft } from './draft.ts';
import { isLoopback } from './network.ts';
import { defaultTls, type TransportProtocol } from './transport.ts';

export function checkTransports({ transports, domains, hasRelayHost }: Draft): Finding[] {
  const ours = new Set(domains.flatMap(({ name }) => (name === undefined ? [] : [name])));
  return [
    ...transports.flatMap((transport, index) =>
      checkTransport(transport, ours).map((finding) => ({
        ...finding,
        path: ['transport', index, ...finding.path],
      })),
    ),
    ...findRivals(transports, hasRelayHost),
  ];
}

const relayKeys = ['host', 'port', 'tls', 'user', 'passwordFile', 'allowPlaintextAuth'] as const;

/** Keys that mean something, besides those that choose. */
const keysOf: Record<TransportProtocol, readonly (keyof TransportDraft)[]> = {
  smtp: relayKeys,
  smtps: relayKeys,
  submission: relayKeys,
  lmtp: [...relayKeys, 'socket'],
  pipe: ['command', 'timeoutSeconds', 'concurrency'],
  mx: [],
};
const choosing: readonly (keyof TransportDraft)[] = ['domains', 'senders', 'protocol'];

function checkTransport(transport: TransportDraft, ours: ReadonlySet<string>): Finding[] {
  const { protocol } = transport;
  return [
    ...checkChoice(transport, ours),
    ...(protocol === undefined ? [] : checkKeys(transport, protocol)),
    ...(protocol === 'pipe' ? checkCommand(transport) : checkLogin(transport)),
    ...(protocol === undefined || protocol === 'pipe' || protocol === 'mx' ? [] : checkPlace(transport)),
    ...checkTls(transport),
  ];
}

function checkChoice({ domains, senders }: TransportDraft, ours: ReadonlySet<string>): Finding[] {
  const findings: Finding[] = [];
  if (domains?.length === 0)
    findings.push({
      path: ['domains'],
      what: 'names no domain, so nothing would ever go there',
      remedy: 'Name domains, or write domains = ["*"] for all that have no transport of their own.',
    });
  if (senders?.length === 0)
    findings.push({
      path: ['senders'],
      what: 'names no sender, so nothing would ever go there',
      remedy: 'Name addresses or domains, or remove this line: then it is for everybody.',
    });
  domains?.forEach((domain, index) => {
    if (!ours.has(domain)) return;
    const what = `${domain} is a [[domain]] of ours: its mail stays here and takes no transport`;
    const remedy =
      'Remove it here, or remove the [[domain]]. To pass on some of its mail, let aliases lead to another domain.';
    findings.push({ path: ['domains', index], what, remedy });
  });
  return findings;
}

function checkKeys(transport: TransportDraft, protocol: TransportProtocol): Finding[] {
  const allowed = new Set([...choosing, ...keysOf[protocol]]);
  // The keys of an object literal whose type is known.
  const present = Object.keys(transport) as (keyof TransportDraft)[];
  return present
    .filter((key) => !allowed.has(key) && key !== 'unread')
    .map((key) => ({
      path: [key],
      what: `means nothing with protocol = "${protocol}"`,
      remedy: `Remove this line. Known with it: ${[...keysOf[protocol], ...choosing].join(', ')}.`,
    }));
}

function checkCommand({ command, unread }: TransportDraft): Finding[] {
  if (unread?.includes('command')) return [];
  const remedy = `Write it as a list: command = ["/usr/bin/procmail", "-d", "\${user}"]. There is no shell.`;
  if (command === undefined || command.length === 0)
    return [{ path: ['command'], what: 'a pipe needs a command', remedy }];
  const findings: Finding[] = [];
  const [program = '', ...words] = command;
  if (!program.startsWith('/') || program.includes('${'))
    findings.push({ path: ['command', 0], what: 'is not the full path of a program', remedy });
  words.forEach((word, index) => {
    for (const name of unknownVariables(word))
      findings.push({
        path: ['command', index + 1],
        what: `nobody knows what \${${name}} is`,
        remedy: `Known are ${variableNames.map((known) => `\${${known}}`).join(', ')}.`,
      });
  });
  return findings;
}

function checkPlace({ protocol, host, socket, unread }: TransportDraft): Finding[] {
  if (unread?.includes('host') || unread?.includes('socket')) return [];
  if (protocol === 'lmtp' && host !== undefined && socket !== undefined)
    return [{ path: ['socket'], what: 'there is a host already', remedy: 'Keep one of host and socket.' }];
  if (host !== undefined || (protocol === 'lmtp' && socket !== undefined)) return [];
  const example =
    protocol === 'lmtp' ? 'host = "127.0.0.1" or socket = "/run/lmtp"' : 'host = "smtp.example.com"';
  return [{ path: ['protocol'], what: `${protocol} needs a host`, remedy: `Add a line ${example}.` }];
}

function checkLogin({ user, passwordFile, unread }: TransportDraft): Finding[] {
  if (unread?.includes('user') || unread?.includes('passwordFile')) return [];
  if ((user === undefined) === (passwordFile === undefined)) return [];
  return user === undefined
    ? [{ path: ['passwordFile'], what: 'there is a password and no user', remedy: 'Add a line user = "…".' }]
    : [
        {
          path: ['user'],
          what: 'there is a user and no password',
          remedy: 'Add a line passwordFile = "…": a file with the password on its first line.',
        },
      ];
}

function checkTls(transport: TransportDraft): Finding[] {
  const { protocol, tls = defaultTls(transport), socket, user, host, allowPlaintextAuth } = transport;
  if (protocol === undefined || protocol === 'pipe' || protocol === 'mx') return [];
  if (socket !== undefined && tls !== 'opportunistic')
    return [{ path: ['tls'], what: 'nobody listens in on a Unix socket', remedy: 'Remove this line.' }];
  if (tls === 'opportunistic' && (protocol === 'smtps' || protocol === 'submission'))
    return [
      {
        path: ['tls'],
        what: `${protocol} is never without TLS`,
        remedy: 'Write tls = "verified", or tls = "required" where the certificate is not to be looked at.',
      },
    ];
  if (allowPlaintextAuth && socket === undefined && host !== undefined && !isHere(host))
    return [
      {
        path: ['allowPlaintextAuth'],
        what: `the password would cross the network to ${host} in clear text`,
        remedy: 'Remove this line and use TLS; it is for hosts on loopback.',
      },
    ];
  if (user === undefined || tls !== 'opportunistic' || socket !== undefined || allowPlaintextAuth) return [];
  return [
    {
      path: ['tls'],
      what: 'the password would be sent in clear text to a host that offers no TLS',
      remedy: 'Remove this line: where there is a password, tls = "verified" goes without saying.',
    },
  ];
}

const isHere = (host: string): boolean => host === 'localhost' || isLoopback(host);

/** Two for the same domain and the same sender: which of them is meant, nobody can tell. */
function findRivals(transports: readonly TransportDraft[], hasRelayHost: boolean): Finding[] {
  const seen = new Map<string, string>(hasRelayHost ? [[keyOf('*', ''), '[delivery] relayHost']] : []);
  const findings: Finding[] = [];
  transports.forEach(({ domains = [], senders = [''] }, index) => {
    domains.forEach((domain, place) => {
      for (const sender of senders) {
        const key = keyOf(domain, sender);
        const first = seen.get(key);
        seen.set(key, first ?? `the ${index + 1}. [[transport]]`);
        if (first === undefined) continue;
        const what = `mail for ${domain}${sender === '' ? '' : ` from ${sender}`} has ${first} already`;
        findings.push({ path: ['transport', index, 'domains', place], what, remedy: 'Keep one of them.' });
        break;
      }
    });
  });
  return findings;
}

const keyOf = (domain: string, sender: string): string => `${domain} ${sender}`;

/** The text of a configuration that explains itself: what quickstart writes, and people go on with. TOML. */

import { relative } from 'node:path';
import type { DkimConfig } from '../config/receiving.ts';
import type { OwnAddresses } from './addresses.ts';

export interface NewListener {
  protocol: string;
  port: number;
  /** After its line. */
  comment: string;
  /** Somebody else has the port: the listener is there as a comment. */
  isOff: boolean;
}

export interface ConfigContent {
  domain: string;
  hostname: string;
  dataDir: string;
  keys: readonly DkimConfig[];
  listeners: readonly NewListener[];
  translated: OwnAddresses['translated'];
  /** Certificates are asked for by ACME. */
  usesAcme: boolean;
  /** Where the file will lie; keys are named relative to it. */
  directory: string;
}

export function configText(content: ConfigContent): string {
  const { domain, hostname, dataDir, listeners } = content;
  return `# Posthorn's configuration, begun by \`posthorn quickstart ${domain}\`. It is yours now: quickstart changes no line that
# stands here. Every key is in docs/configuration.md; \`posthorn config check\` says what is wrong, with the line.

# Our name: in DNS it leads to this machine, and the reverse DNS of our addresses says it.
hostname = ${quoted(hostname)}

# Everything that is kept: mail, accounts, queue, dossiers.
dataDir = ${quoted(dataDir)}

# DNS servers; without this line those of /etc/resolv.conf. One on this machine that validates DNSSEC is best (unbound):
# resolver = ["127.0.0.1"]

${tlsText}${acmeText(content)}
${listeners.map(listenerText).join('\n')}
${sourceText(content)}${sendmailText}
${domainText(content)}`;
}

const sendmailText = `# What programs of this machine (cron, PHP, git) hand in by \`posthorn sendmail\`, each user as USER@ our domain only.
[sendmail]
enabled = true
# senders = [{ user = "www-data", as = ["shop@example.com"] }]
`;

const tlsText = `# The certificate. Empty: by [acme], and one that is signed by itself until that has come; to name files of your own:
# cert = "fullchain.pem"
# key = "privkey.pem"
[tls]
`;

/** By the way that is open: port 80 by HTTP, else port 443 by TLS. Without either, by hand. */
function acmeText({ domain, listeners, usesAcme }: ConfigContent): string {
  const isOpen = (protocol: string) => listeners.some((each) => each.protocol === protocol && !each.isOff);
  if (!usesAcme) return '';
  const challenge = isOpen('http') ? 'http-01' : 'tls-alpn-01';
  const enabled = isOpen('http') || isOpen('https') ? '' : 'enabled = false\n';
  return `
# Certificates from Let's Encrypt, asked for and renewed by the server. Its terms: https://letsencrypt.org/repository/
[acme]
contact = ${quoted(`postmaster@${domain}`)}
termsAgreed = true
challenge = ${quoted(challenge)}
${enabled}`;
}

/** To be put at the end of a file: what is below belongs to no other table. */
export function domainText({
  domain,
  keys,
  directory,
}: Pick<ConfigContent, 'domain' | 'keys' | 'directory'>): string {
  const lines = keys.map(
    ({ selector, key }) => `  { selector = ${quoted(selector)}, key = ${quoted(keyPath(directory, key))} },`,
  );
  return `# A domain whose mail is accepted, and signed when it goes out (RSA for everybody, Ed25519 for those who know it).
[[domain]]
name = ${quoted(domain)}
# postmaster = "you@${domain}"          # who reads postmaster@ and abuse@; default: the domain's first account
${lines.length === 0 ? '' : `dkim = [\n${lines.join('\n')}\n]\n`}`;
}

function listenerText({ protocol, port, comment, isOff }: NewListener): string {
  const line = `protocol = ${quoted(protocol)}`.padEnd(26);
  const lines = ['[[listener]]', `${line} # ${comment}, port ${port}`];
  if (!isOff) return `${lines.join('\n')}\n`;
  const off = [`Port ${port} was taken when this file was made.`, ...lines];
  return `${off.map((each) => `# ${each}`).join('\n')}\n`;
}

function sourceText({ translated }: ConfigContent): string {
  if (translated.length === 0) return '';
  return `# This machine is behind a router that translates addresses: its own, and what others see.\n${sourceTables(translated)}\n`;
}

export const sourceTables = (translated: OwnAddresses['translated']): string =>
  translated
    .map(
      ({ address, publicAddress }) =>
        `[[source]]\naddress = ${quoted(address)}\npublicAddress = ${quoted(publicAddress)}\n`,
    )
    .join('\n');

function keyPath(directory: string, key: string): string {
  const path = relative(directory, key);
  return path.startsWith('..') ? key : path;
}

/** A basic string of TOML has the escapes of JSON. */
const quoted = (text: string): string => JSON.stringify(text);

/** What a configuration says of mail and of networks: the kinds of value that its keys hold, each with what is said of one that is none. */

import { resolve } from 'node:path';
import { formatIpv6, mappedIpv4, parseIpv4, parseIpv6 } from '../dns/ip.ts';
import { addressKey, parseAddress, parseDomain } from '../mail/address.ts';
import { tagSeparators } from '../mail/subaddress.ts';
import { type Named, readCondition } from '../policy/conditions.ts';
import { parseSenderPattern, patternExamples } from '../policy/sender-pattern.ts';
import { isTable, text, value } from './kinds.ts';
import { ipVersion, isPort, parseHostPort, parseNetwork } from './network.ts';
import type { SecretSource } from './secret.ts';

/** A condition of a policy, `name` or `name:argument`. */
export const condition = () =>
  value(
    'a condition',
    ({ input }) => {
      const read = readCondition(String(input));
      return 'problem' in read ? `${sentence(read.problem)}.` : 'Write it in quotes, such as "spf:fail".';
    },
    (input): Named | undefined => {
      const read = typeof input === 'string' ? readCondition(input) : undefined;
      return read === undefined || 'problem' in read ? undefined : read;
    },
  );

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

export const policyName = () =>
  text('the name of a policy', 'Use letters, digits and hyphens, such as "strict".', (input) =>
    /^[a-z\d][a-z\d-]{0,39}$/i.test(input) ? input : undefined,
  );

/** 0 is a port here: the system chooses. */
export const listeningPort = () =>
  value('a port', 'Give a number from 1 to 65535, without quotes; 0 lets the system choose one.', (input) =>
    isPort(input) ? input : undefined,
  );

export const remotePort = () =>
  value('a port', 'Give a number from 1 to 65535, without quotes.', (input) =>
    isPort(input) && input > 0 ? input : undefined,
  );

/** A DNS name of a host, as lower-case A-labels. */
export const hostName = () =>
  text('a host name', 'Give the full name of this machine in DNS, such as "mx.example.com".', (input) =>
    ipVersion(input) === undefined ? parseDomain(input) : undefined,
  );

/** A host name, or `*.` and a domain for all of one label below it. */
export const certificateName = () =>
  text('a host name', 'Give a full name, such as "mail.example.org", or "*.example.org".', (input) => {
    const any = input.startsWith('*.') ? '*.' : '';
    const name = ipVersion(input) === undefined ? parseDomain(input.slice(any.length)) : undefined;
    return name === undefined ? undefined : `${any}${name}`;
  });

/** A mail domain, as lower-case A-labels. */
export const domainName = () =>
  text('a domain', 'Give the part after the @, such as "example.com".', (input) =>
    ipVersion(input) === undefined ? parseDomain(input) : undefined,
  );

/** The last labels of host names, as lower-case A-labels. */
export const hostEnding = () =>
  text(
    'the end of host names',
    'Give what the names of its MX hosts end in, such as "google.com".',
    (input) => (ipVersion(input) === undefined ? parseDomain(input) : undefined),
  );

/** A host of an MTA-STS policy, or `*.` and a domain for every host directly below it (RFC 8461 §4.1). */
export const mxPattern = () =>
  text(
    'the name of an MX host',
    'Give a host, "mx.example.com", or all of one domain, "*.example.com".',
    (input) => {
      const wild = input.startsWith('*.') ? '*.' : '';
      const host = ipVersion(input) === undefined ? parseDomain(input.slice(wild.length)) : undefined;
      return host === undefined ? undefined : `${wild}${host}`;
    },
  );

/** A mail address as the accounts are compared by: `addressKey()` of mail/. */
export const mailAddress = () =>
  text('a mail address', 'Write it as "user@example.com", without a display name.', (input) => {
    const address = parseAddress(input);
    return address && addressKey(address);
  });

/** What stands between a user and a tag, or '' for no tags. */
export const tagSeparator = () =>
  text(
    'a separator of tags',
    `Give one of the characters ${tagSeparators} in quotes, such as "+", or "" for no tags.`,
    (input) => (input.length <= 1 && tagSeparators.includes(input) ? input : undefined),
  );

export const ipAddress = () =>
  text(
    'an IP address',
    'Give an address of this machine, such as "127.0.0.1"; "::" means all of them.',
    (input) => (ipVersion(input) === undefined ? undefined : input),
  );

/** One address, as it is compared; not one that means all of them. */
export const sourceAddress = () =>
  text('an IP address to send from', 'Give one address of this machine, such as "192.0.2.1".', (input) => {
    const [four, six] = [parseIpv4(input), parseIpv6(input)];
    if (four?.every((octet) => octet === 0) || six?.every((group) => group === 0)) return undefined;
    return four === undefined ? six && (mappedIpv4(six) ?? formatIpv6(six)) : input;
  });

/** A mail address as `addressKey()` writes it, or a domain. */
export const sender = () =>
  text('a mail address or a domain', 'Write "user@example.com" or "example.com".', (input) => {
    if (!input.includes('@')) return ipVersion(input) === undefined ? parseDomain(input) : undefined;
    const address = parseAddress(input);
    return address && addressKey(address);
  });

/** A network in CIDR notation. One of length 0 would make an open relay. */
export const trustedNetwork = () =>
  text(
    'a network smaller than the Internet',
    'Write it as "192.0.2.0/24" or "2001:db8::/32"; whoever is in it may send mail to anyone through this server.',
    (input) => {
      const network = parseNetwork(input);
      return network === undefined || network.prefix === 0
        ? undefined
        : `${network.address}/${network.prefix}`;
    },
  );

/** A network in CIDR notation. */
export const network = () =>
  text('a network', 'Write it as "192.0.2.0/24", "2001:db8::/32" or "192.0.2.1".', (input) => {
    const found = parseNetwork(input);
    return found && `${found.address}/${found.prefix}`;
  });

/** A network in CIDR notation. With one of length 0 anybody could say to be anybody. */
export const proxyNetwork = () =>
  text(
    'a network smaller than the Internet',
    'Write the address of the proxy, "192.0.2.10", or its network, "192.0.2.0/24"; whoever is in it is believed whom it speaks for.',
    (input) => {
      const network = parseNetwork(input);
      return network === undefined || network.prefix === 0
        ? undefined
        : `${network.address}/${network.prefix}`;
    },
  );

export const dnsServer = () =>
  text(
    'the address of a DNS server',
    'Write an IP address, with its port where that is not 53: "127.0.0.1:5300".',
    (input) => {
      const server = parseHostPort(input, 53);
      return server === undefined || ipVersion(server.host) === undefined
        ? undefined
        : { address: server.host, port: server.port };
    },
  );

export const smtpHost = () =>
  text(
    'a host and port',
    'Write it as "smtp.example.com:25", "192.0.2.1:25" or "[2001:db8::1]:25".',
    (input) => {
      const target = parseHostPort(input, 25);
      if (target === undefined) return undefined;
      const host = ipVersion(target.host) === undefined ? parseDomain(target.host) : target.host;
      return host === undefined ? undefined : { host, port: target.port };
    },
  );

export const remoteHost = () =>
  text(
    'a host',
    'Write its name, "smtp.example.com", or its address, "192.0.2.1" or "2001:db8::1"; its port is a key of its own.',
    (input) => (ipVersion(input) === undefined ? parseDomain(input) : input),
  );

/** Of recipients: lower-case A-labels, `.example.com` for what is below it, `*` for all. */
export const domainPattern = () =>
  text(
    'a domain',
    'Write "example.com", ".example.com" for everything below it, or "*" for everything else.',
    (input) => {
      if (input === '*') return input;
      const below = input.startsWith('.') ? '.' : '';
      const domain = ipVersion(input) === undefined ? parseDomain(input.slice(below.length)) : undefined;
      return domain === undefined ? undefined : `${below}${domain}`;
    },
  );

/** An address, or a domain that stands for all of its addresses. */
export const senderPattern = () =>
  text('a sender', 'Write "user@example.com", or "example.com" for everybody there.', (input) => {
    if (!input.includes('@')) return ipVersion(input) === undefined ? parseDomain(input) : undefined;
    const address = parseAddress(input);
    return address && addressKey(address);
  });

/** PLAIN has no room for a NUL, nor for more (RFC 4616 §2). */
export const loginName = () =>
  text('a user name', 'Give the name that the other server knows us by, in quotes.', (input) =>
    input === '' || input.includes('\0') || Buffer.byteLength(input) > 255 ? undefined : input,
  );

/** Of this machine, as in /etc/passwd. */
export const userName = () =>
  text('a user of this machine', 'Give the name from /etc/passwd, such as "www-data".', (input) =>
    /^[\w.][\w.-]{0,63}\$?$/.test(input) ? input : undefined,
  );

/** Of a block or an allow list. */
export const senderGlob = () => text('a pattern of senders', `Write ${patternExamples}.`, parseSenderPattern);

export const commandWord = () =>
  text('a word of a command', 'Write every argument in quotes of its own.', (input) =>
    input.includes('\0') ? undefined : input,
  );

/** A selector is one or more DNS labels (RFC 6376 §3.1). */
export const dkimSelector = () =>
  text('a DKIM selector', 'Use letters, digits and hyphens, such as "posthorn".', (input) =>
    /^[a-z\d]([a-z\d-]{0,61}[a-z\d])?(\.[a-z\d]([a-z\d-]{0,61}[a-z\d])?)*$/i.test(input)
      ? input.toLowerCase()
      : undefined,
  );

/** One line of at most 100 characters. */
const line = (expected: string, remedy: string) =>
  text(expected, remedy, (input) => (/^[^\p{C}\p{Zl}\p{Zp}]{1,100}$/u.test(input) ? input : undefined));

/** Text that others read as a name. */
export const oneLine = () =>
  line('a line of text', 'Write one line of at most 100 characters, such as "Example Ltd".');

/** What stands in a token, or is said to the server that made it: as that has it. */
export const audience = () =>
  line('an audience of tokens', 'Write what the tokens for this server have in "aud", such as "posthorn".');
export const scope = () => line('a scope of tokens', 'Write what a token must allow, such as "mail".');
export const claim = () =>
  line('a claim of tokens', 'Write which claim bears the address, such as "email" or "preferred_username".');
export const clientId = () =>
  line(
    'the name of a client',
    'Write the id under which the token server knows this one, such as "posthorn".',
  );

/** A group of this machine: its name, or its number. */
export const groupName = () =>
  text('a group', 'Give the name of a group, such as "mailops", or its number, in quotes.', (input) =>
    /^(?:[a-z_][a-z\d_.-]{0,31}|\d{1,10})$/i.test(input) ? input : undefined,
  );

/** What something is called in policies, logs and header fields. */
export const label = () =>
  text('a name', 'Use up to 40 letters, digits, "-" and "_", such as "spam-filter".', (input) =>
    /^[a-z\d_-]{1,40}$/i.test(input) ? input : undefined,
  );

/** A path, made absolute from the directory of the configuration file. */
export const path = (directory: string) =>
  text('a path', 'Give a path, in quotes; a relative one is relative to this file.', (input) =>
    input === '' || input.includes('\0') ? undefined : resolve(directory, input),
  );

/** Where a secret is: never itself, for the configuration is shown, copied and asked about. */
export const secret = (directory: string) =>
  value(
    'where a secret is',
    'Write the path of a file whose first line it is, in quotes, or { file = "…" }, or { env = "NAME" } for a variable of the environment.',
    (input): SecretSource | undefined => {
      const [[kind, name] = [], ...more] = isTable(input) ? Object.entries(input) : [['file', input]];
      if (more.length > 0 || typeof name !== 'string' || name === '' || name.includes('\0')) return undefined;
      if (kind === 'file') return { file: resolve(directory, name) };
      return kind === 'env' && /^[A-Z_a-z][\w]*$/.test(name) ? { env: name } : undefined;
    },
  );

/** As it is written: an issuer's name is compared with what stands in its tokens. */
export const httpsUrl = () =>
  text(
    'an https: address',
    'Write it as its owner does, "https://login.example.com/realms/mail".',
    (input) => {
      const url = URL.canParse(input) ? new URL(input) : undefined;
      return url?.protocol === 'https:' && url.username === '' && url.hash === '' ? input : undefined;
    },
  );

/** Addresses and domains as text: what is read can be written and read again, and is safe where it is used. */

import { basename, dirname } from 'node:path';
import { localAddress } from '../../src/admin/addresses.ts';
import { AdminError } from '../../src/admin/admin-error.ts';
import { parseHostPort, parseNetwork } from '../../src/config/network.ts';
import { parseIpv4, parseIpv6 } from '../../src/dns/ip.ts';
import { isAskableName } from '../../src/dns/name.ts';
import { addressKey, formatAddress, parseAddress, parseDomain } from '../../src/mail/address.ts';
import { parseHeader } from '../../src/mail/header.ts';
import { receivedField } from '../../src/mail/received.ts';
import { maildirPath } from '../../src/store/maildir.ts';
import { octetsOf, readTestdata, textsIn } from '../corpus.ts';
import { address, domain, path } from '../grammar/addresses.ts';
import { between, demand, demandSame, type Target } from './target.ts';

function read(input: Buffer): void {
  const text = input.toString('utf8');
  const parsed = parseAddress(text);
  if (parsed === undefined) return;
  const written = formatAddress(parsed);
  demand(Buffer.byteLength(written) <= 254, 'an address that is too long');
  demandSame('the address written', parsed, parseAddress(written));
  const key = addressKey(parsed);
  const again = parseAddress(key);
  demand(again !== undefined && addressKey(again) === key, `the key ${key} is not its own key`);
  const account = dirname(maildirPath('/data', key));
  demand(
    dirname(account) === '/data/accounts' && !/^\.|\0/.test(basename(account)),
    `not a directory: ${account}`,
  );
}

function checkReceived(text: string): void {
  const field = receivedField({
    client: { helo: text, address: text, reverseName: text },
    by: 'mx.example.net',
    protocol: 'ESMTPS',
    tls: { version: text, cipher: text },
    queueId: 'Q',
    recipient: text,
    date: 0,
  });
  const { fields, malformed, separator } = parseHeader(Buffer.from(field));
  demand(
    fields.length === 1 && malformed === undefined && separator.length === 0,
    'Received is not one field',
  );
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is all of ASCII
  demand(/^[\x09\x0d\x0a\x20-\x7e]*$/.test(field), 'Received is not plain ASCII');
}

function readAdmin(text: string): void {
  try {
    localAddress(text, [{ name: 'example.org' }]);
  } catch (error) {
    if (!(error instanceof AdminError)) throw error;
  }
}

function check(input: Buffer): void {
  const text = input.toString('utf8');
  read(input);
  checkReceived(text);
  readAdmin(text);
}

export const addresses: Target = {
  name: 'address',
  seeds: () =>
    octetsOf(textsIn([readTestdata('address/isemail.json'), readTestdata('address/mox.json')], 'address')),
  generate: (random) => Buffer.from(random.oneIn(2) ? address(random) : path(random)),
  read,
  check,
  places: [between('"', '"@example.org'), between('a@'), between('a@[IPv6:')],
};

function readDomain(input: Buffer): void {
  const text = input.toString('utf8');
  const parsed = parseDomain(text);
  if (parsed !== undefined) {
    demand(parseDomain(parsed) === parsed, `the domain ${parsed} is not read as itself`);
    demand(isAskableName(parsed), `the domain ${parsed} cannot be asked for`);
  }
  parseIpv4(text);
  parseIpv6(text);
  parseNetwork(text);
  parseHostPort(text, 25);
  receivedHelo(text);
}

function receivedHelo(helo: string): void {
  receivedField({ client: { helo, address: helo }, by: 'mx', protocol: 'SMTP', queueId: 'Q', date: 0 });
}

export const domains: Target = {
  name: 'domain',
  seeds: () =>
    octetsOf([
      'example.org',
      'bücher.example',
      'xn--bcher-kva.example',
      '192.0.2.1',
      '2001:db8::1',
      '::ffff:192.0.2.1',
      '192.0.2.0/24',
      '[::1]:25',
    ]),
  generate: (random) => Buffer.from(domain(random)),
  read: readDomain,
  places: [between('xn--'), between('ü'), between('a.', '.b')],
};

/** What strangers send to the web listeners: a question in XML, the host that they ask, and where they say that they come from. */

import { findFamily } from '../../src/net/addresses.ts';
import { networkSet } from '../../src/net/networks.ts';
import { parseXml } from '../../src/util/xml.ts';
import { readQuestion, refusalAnswer, settingsAnswer } from '../../src/web/autodiscover.ts';
import { siteFinder } from '../../src/web/sites.ts';
import { visitorOf } from '../../src/web/visitor.ts';
import { between, demand, type Target } from './target.ts';

const start = '<Autodiscover><Request><EMailAddress>';
const end = '</EMailAddress></Request></Autodiscover>';
const services = [
  { protocol: 'pop3s', does: 'fetch', host: 'mx.example.com', port: 995, encryption: 'tls' },
] as const;

/** Whatever is asked, the answer is XML. */
function ask(input: Buffer): void {
  const question = readQuestion(input);
  const answer = 'code' in question ? refusalAnswer(question) : settingsAnswer(question.address, services);
  demand(parseXml(Buffer.from(answer)).name === 'Autodiscover', 'an answer of something else');
}

const autodiscover: Target = {
  name: 'autodiscover',
  seeds: () =>
    [`<?xml version="1.0"?>${start}ann@example.com${end}`, `${start}&#65;<![CDATA[<]]>${end}`].map((text) =>
      Buffer.from(text),
    ),
  read: readQuestion,
  check: ask,
  places: [between(start, end), between('<Autodiscover '), between('')],
  longestRunBytes: 16_384,
};

const findSite = siteFinder({ hostname: 'mx.example.com', domains: [{ name: 'example.com' }] });
const ours = /^(?:(?:mx|mta-sts|autoconfig|autodiscover)\.)?example\.com\.?(?::\d*)?$/i;
const isProxy = networkSet(['127.0.0.0/8']);
const peer = { address: '127.0.0.1', port: 1, localAddress: '127.0.0.1', localPort: 80 };

/** A name is ours or nobody's, and a client is an address or nobody. */
function visit(input: Buffer): void {
  const text = input.toString('latin1');
  const site = findSite(text);
  demand(site?.isOurs !== true || ours.test(text), 'a name of others is ours');
  const headers = { host: 'x', 'x-forwarded-for': text, 'x-forwarded-host': text, 'x-forwarded-proto': text };
  const { address } = visitorOf({ peer, by: 'proxied' }, headers, isProxy);
  demand(address === undefined || findFamily(address) !== undefined, 'a client without an address');
  const direct = visitorOf({ peer, by: 'http' }, headers, isProxy);
  demand(direct.address === peer.address && direct.host === 'x' && !direct.secure, 'a stranger is believed');
}

const visitors: Target = {
  name: 'web-visitors',
  seeds: () =>
    ['MX.example.com.:443', '203.0.113.9, 127.0.0.1', '[2001:db8::1]:9, ::ffff:192.0.2.1', 'http, https'].map(
      (text) => Buffer.from(text),
    ),
  read: visit,
  places: [between(''), between('203.0.113.9, ['), between('mta-sts.')],
  longestRunBytes: 16_384,
};

export const webTargets: readonly Target[] = [autodiscover, visitors];

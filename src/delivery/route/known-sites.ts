/**
 * What the big receivers are known to take: fewer connections, or fewer messages on one, than others. Each line with its
 * source and the day it was looked up. `[[site]]` tables of the configuration go before these.
 */

export interface KnownSite {
  /** Ends of the names of its MX hosts; the first also names the site. */
  mx: readonly string[];
  connections?: number;
  messagesPerConnection?: number;
  source: string;
  /** YYYY-MM-DD. */
  checked: string;
}

/** KumoMTA publishes what senders of much mail have learnt, some of it "provided directly" by the receiver. */
const shaping = 'KumoMTA assets/policy-extras/shaping.toml';
const community = 'KumoMTA assets/community/shaping.toml';
const checked = '2026-11-27';

export const knownSites: readonly KnownSite[] = [
  {
    mx: ['google.com', 'googlemail.com'],
    connections: 5,
    messagesPerConnection: 50,
    source: `${shaping}, provider "google"; support.google.com/mail/answer/81126`,
    checked,
  },
  {
    mx: ['yahoodns.net'],
    messagesPerConnection: 20,
    source: `${shaping}, provider "yahoo", "provided by Yahoo! directly"; senders.yahooinc.com/best-practices`,
    checked,
  },
  {
    mx: ['olc.protection.outlook.com'],
    connections: 5,
    messagesPerConnection: 50,
    source: `${shaping}, provider "outlook"; sendersupport.olc.protection.outlook.com/pm/Policies (500 connections at most)`,
    checked,
  },
  {
    mx: ['mail.protection.outlook.com'],
    connections: 5,
    messagesPerConnection: 50,
    source: `${shaping}, provider "office365"`,
    checked,
  },
  {
    mx: ['mx.microsoft'],
    connections: 5,
    messagesPerConnection: 50,
    source: `${shaping}, provider "office365-dane"`,
    checked,
  },
  {
    mx: ['icloud.com'],
    connections: 10,
    messagesPerConnection: 5,
    source: `${shaping}, provider "apple"; support.apple.com/en-us/102322`,
    checked,
  },
  {
    mx: ['orange.fr'],
    connections: 3,
    source: `${shaping}, "orange.fr"; postmastery.com/orange-postmaster-smtp-error-codes-ofr`,
    checked,
  },
  {
    mx: ['gmx.net', 'web.de'],
    connections: 4,
    messagesPerConnection: 20,
    source: `${community}, provider "gmx.net_web.de"`,
    checked,
  },
  {
    mx: ['qq.com'],
    connections: 4,
    messagesPerConnection: 8,
    source: `${community}, provider "qq.com"`,
    checked,
  },
  {
    mx: ['netease.com'],
    connections: 4,
    messagesPerConnection: 7,
    source: `${community}, provider "163.com"`,
    checked,
  },
];

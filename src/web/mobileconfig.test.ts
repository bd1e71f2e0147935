import { expect, test } from 'vitest';
import type { ClientService } from '../config/client-services.ts';
import { mobileconfig } from './mobileconfig.ts';

const host = 'mx.example.com';
const services: ClientService[] = [
  { protocol: 'submission', does: 'send', host, port: 587, encryption: 'starttls' },
  { protocol: 'pop3s', does: 'fetch', host, port: 995, encryption: 'tls' },
];
const profile = (address: string) => mobileconfig({ address, domain: 'example.com', services }) ?? '';
const uuids = (text: string) =>
  [...text.matchAll(/<key>PayloadUUID<\/key><string>(.*?)</g)].map(([, uuid]) => uuid);

test('mobileconfig() is the same each time, and another for another address', () => {
  expect(profile('ann@example.com')).toBe(profile('ann@example.com'));
  const all = [...uuids(profile('ann@example.com')), ...uuids(profile('bob@example.com'))];
  expect(new Set(all).size).toBe(4);
  for (const uuid of all) expect(uuid).toMatch(/^[\dA-F]{8}-[\dA-F]{4}-8[\dA-F]{3}-8[\dA-F]{3}-[\dA-F]{12}$/);
});

test('mobileconfig() names both servers', () => {
  const text = profile('ann@example.com');
  expect(text).toContain('<key>IncomingMailServerPortNumber</key><integer>995</integer>');
  expect(text).toContain('<key>OutgoingMailServerPortNumber</key><integer>587</integer>');
  expect(text).toContain('<key>OutgoingPasswordSameAsIncomingPassword</key><true/>');
});

test('mobileconfig() is nothing where mail cannot be fetched', () => {
  const [sending] = services;
  expect(
    mobileconfig({ address: 'ann@example.com', domain: 'example.com', services: sending ? [sending] : [] }),
  ).toBeUndefined();
});

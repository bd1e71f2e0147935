import { expect, test } from 'vitest';
import { hostsOfSite, isSite } from './site-name.ts';

const site = '10 mx1.example.net, 20 mx2.mail.example.org:25';

test('hostsOfSite() leaves out preferences and the port', () => {
  expect(hostsOfSite(site)).toEqual(['mx1.example.net', 'mx2.mail.example.org']);
  expect(hostsOfSite('relay smtp.example.com:587')).toEqual(['relay', 'smtp.example.com']);
  expect(hostsOfSite('local')).toEqual(['local']);
});

test('isSite() takes a host for the site that is called by the ending of its name', () => {
  expect(isSite('google.com', 'aspmx.l.google.com')).toBe(true);
  expect(isSite('google.com', 'google.com')).toBe(true);
  expect(isSite('google.com', 'notgoogle.com')).toBe(false);
});

test.each([
  [site, true],
  ['MX1.Example.net', true],
  ['mx2.mail.example.org', true],
  ['example.org', true],
  ['mail.example.org', true],
  ['ample.org', false],
  ['mx3.example.net', false],
  ['org', true],
  ['10', false],
  ['', false],
])('isSite() takes %j for the site or not', (wanted, expected) => {
  expect(isSite(site, wanted)).toBe(expected);
});

import { describe, expect, test } from 'vitest';
import { siteFinder } from './sites.ts';

const find = siteFinder({
  hostname: 'mx.example.com',
  domains: [{ name: 'example.com' }, { name: 'example.net' }, { name: 'autoconfig.example.net' }],
});

describe('siteFinder()', () => {
  test.each([
    ['mx.example.com', 'clients', undefined, true],
    ['mta-sts.example.com', 'policy', 'example.com', true],
    ['autoconfig.example.com', 'clients', 'example.com', true],
    ['autodiscover.example.net:8443', 'clients', 'example.net', true],
    ['EXAMPLE.net.', 'clients', 'example.net', false],
    ['autoconfig.example.net', 'clients', 'autoconfig.example.net', false], // a mail domain goes before a label
    ['127.0.0.1:80', 'clients', undefined, false],
    ['[::1]:80', 'clients', undefined, false],
    ['localhost', 'clients', undefined, false],
  ])('%s is ours', (host, role, domain, isOurs) => {
    const site = find(host);
    expect([site?.role, site?.domain?.name, site?.isOurs]).toEqual([role, domain, isOurs]);
  });

  test.each([
    '',
    'example.org',
    'www.example.com',
    'mta-sts.mx.example.com',
    'xexample.com',
    'example.com@evil',
  ])('"%s" is not', (host) => {
    expect(find(host)).toBeUndefined();
  });

  test('a hostname that is a domain too is all ours', () => {
    const both = siteFinder({ hostname: 'example.com', domains: [{ name: 'example.com' }] });
    expect(both('example.com')).toMatchObject({
      role: 'clients',
      domain: { name: 'example.com' },
      isOurs: true,
    });
  });
});

import { describe, expect, test } from 'vitest';
import { knownSites } from './known-sites.ts';
import { SiteTables } from './site-tables.ts';

const route = (domain: string, ...hosts: (string | [number, string])[]) => ({
  domain,
  hosts: hosts.map((host) => {
    const [preference, name] = typeof host === 'string' ? [10, host] : host;
    return { preference, host: name, addresses: [] };
  }),
});

describe('SiteTables', () => {
  // As DNS has them.
  test.each([
    ['google.com', 'gmail.com', ['gmail-smtp-in.l.google.com', 'alt1.gmail-smtp-in.l.google.com'], 5, 50],
    ['google.com', 'hosted.example', ['aspmx.l.google.com', 'aspmx2.googlemail.com'], 5, 50],
    ['google.com', 'new.example', ['smtp.google.com'], 5, 50],
    ['yahoodns.net', 'yahoo.com', ['mta5.am0.yahoodns.net'], undefined, 20],
    ['olc.protection.outlook.com', 'hotmail.com', ['hotmail-com.olc.protection.outlook.com'], 5, 50],
    ['mail.protection.outlook.com', 'firm.example', ['firm-example.mail.protection.outlook.com'], 5, 50],
    ['mx.microsoft', 'dane.example', ['dane-example.r-v1.mx.microsoft'], 5, 50],
    ['icloud.com', 'me.com', ['mx01.mail.icloud.com', 'mx02.mail.icloud.com'], 10, 5],
    ['orange.fr', 'orange.fr', ['smtp-in.orange.fr'], 3, undefined],
    ['gmx.net', 'gmx.de', ['mx00.gmx.net', 'mx01.gmx.net'], 4, 20],
    ['gmx.net', 'web.de', ['mx-ha02.web.de'], 4, 20],
    ['qq.com', 'qq.com', ['mx1.qq.com'], 4, 8],
    ['netease.com', '163.com', ['163mx01.mxmail.netease.com'], 4, 7],
  ])('P7: knows %s behind %s', (name, domain, hosts, connections, messagesPerConnection) => {
    const found = new SiteTables([]).find(route(domain, ...hosts));
    expect(found).toMatchObject({ name, isOurs: false });
    expect([found?.connections, found?.messagesPerConnection]).toEqual([connections, messagesPerConnection]);
  });

  test('each known site has a source, a day, and a limit; none is there twice', () => {
    for (const { source, checked, connections, messagesPerConnection } of knownSites) {
      expect(source).not.toBe('');
      expect(Number.isNaN(Date.parse(checked))).toBe(false);
      expect(connections ?? messagesPerConnection).toBeDefined();
    }
    const endings = knownSites.flatMap(({ mx }) => mx);
    expect(new Set(endings).size).toBe(endings.length);
  });

  test('P7: the configuration goes before what is known, key by key', () => {
    const tables = new SiteTables([
      { mx: ['google.com'], domains: [], connections: 40, messagesPerHour: 900 },
    ]);
    const found = tables.find(route('gmail.com', 'gmail-smtp-in.l.google.com'));
    const asked = { connections: 40, messagesPerHour: 900, messagesPerConnection: 50 };
    expect(found).toEqual({ name: 'google.com', ...asked, isOurs: true });
    expect(tables.named('google.com')).toBe(found);
  });

  test('finds a domain of the configuration wherever its mail goes', () => {
    const tables = new SiteTables([{ mx: [], domains: ['a.example', 'b.example'], connections: 1 }]);
    for (const domain of ['a.example', 'b.example'])
      expect(tables.find(route(domain, 'smtp.google.com'))?.name).toBe('a.example');
    expect(tables.find(route('c.example', 'smtp.google.com'))?.name).toBe('google.com');
  });

  test('takes whole labels, the longest ending, and only where all of the best hosts agree', () => {
    const tables = new SiteTables([
      { mx: ['example.net'], domains: [] },
      { mx: ['big.example.net'], domains: [] },
    ]);
    const nameOf = (...hosts: (string | [number, string])[]) =>
      tables.find(route('x.example', ...hosts))?.name;
    expect(nameOf('MX.example.net')).toBe('example.net');
    expect(nameOf('mx.big.example.net')).toBe('big.example.net');
    expect(nameOf('notexample.net')).toBeUndefined();
    expect(nameOf('mx.example.net', 'mx.elsewhere.example')).toBeUndefined();
    expect(nameOf([10, 'mx.example.net'], [20, 'backup.elsewhere.example'])).toBe('example.net');
  });
});

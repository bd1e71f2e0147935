import { describe, expect, it } from 'vitest';
import { type RecordFacts, recordsFor, type WantedRecord, wantedRecords } from './wanted.ts';

const facts = (more: Partial<RecordFacts> = {}): RecordFacts => ({
  hostname: 'mx.example.com',
  domains: [domain('example.com')],
  addresses: ['192.0.2.1', '2001:db8::1'],
  sending: ['192.0.2.1', '2001:db8::1'].map((address) => ({
    address,
    ehloName: 'mx.example.com',
    senders: [],
  })),
  reportMailboxes: [],
  tlsKeys: [],
  clients: { submissions: 465, pop3s: 995 },
  web: [],
  unusable: [],
  ...more,
});

const domain = (name: string, more: Partial<RecordFacts['domains'][0]> = {}): RecordFacts['domains'][0] => ({
  name,
  dkim: [
    { selector: 'rsa', type: 'rsa', record: 'v=DKIM1; k=rsa; p=AAAA' },
    { selector: 'ed', type: 'ed25519', record: 'v=DKIM1; k=ed25519; p=BBBB' },
  ],
  relays: [],
  sts: { policyId: 'abc1', mode: 'testing' },
  ...more,
});

const lines = (records: readonly WantedRecord[]) =>
  records.map(({ name, type, data }) => `${name} ${type} ${data}`);
const withPurpose = (purpose: string, more: Partial<RecordFacts> = {}) =>
  wantedRecords(facts(more)).filter((record) => record.purpose === purpose);

describe('wantedRecords()', () => {
  it('lists everything for one domain whose host lies in it', () => {
    expect(lines(wantedRecords(facts()))).toEqual([
      'mx.example.com A 192.0.2.1',
      'mx.example.com AAAA 2001:db8::1',
      'mx.example.com TXT v=spf1 a -all',
      'example.com MX 10 mx.example.com.',
      'example.com TXT v=spf1 mx ~all',
      'rsa._domainkey.example.com TXT v=DKIM1; k=rsa; p=AAAA',
      'ed._domainkey.example.com TXT v=DKIM1; k=ed25519; p=BBBB',
      '_dmarc.example.com TXT v=DMARC1; p=none; rua=mailto:postmaster@example.com',
      'mta-sts.example.com CNAME mx.example.com.',
      '_mta-sts.example.com TXT v=STSv1; id=abc1',
      '_smtp._tls.example.com TXT v=TLSRPTv1; rua=mailto:postmaster@example.com',
      '_submissions._tcp.example.com SRV 0 1 465 mx.example.com.',
      '_submission._tcp.example.com SRV 0 0 0 .',
      '_pop3s._tcp.example.com SRV 0 1 995 mx.example.com.',
      '_pop3._tcp.example.com SRV 0 0 0 .',
      '_imaps._tcp.example.com SRV 0 0 0 .',
      '_imap._tcp.example.com SRV 0 0 0 .',
      'autoconfig.example.com CNAME mx.example.com.',
      'autodiscover.example.com CNAME mx.example.com.',
      '1.2.0.192.in-addr.arpa PTR mx.example.com.',
      '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR mx.example.com.',
    ]);
  });

  it('begins DMARC with p=none, and says how it goes on to p=reject', () => {
    const [dmarc] = withPurpose('dmarc');
    expect(dmarc?.data).toMatch(/^v=DMARC1; p=none; rua=mailto:/);
    expect(dmarc?.why).toMatch(/Begin with p=none.*`posthorn reports dmarc`.*p=quarantine.*p=reject$/);
  });

  it('says whom to ask for a PTR, and gives it to no zone of ours', () => {
    const [ptr] = withPurpose('ptr');
    expect(ptr).toMatchObject({ where: 'provider', domain: '1.2.0.192.in-addr.arpa', need: 'required' });
    expect(ptr?.why).toContain('your hosting provider enters it');
  });

  it('holds back what the web listener does not serve, and only that', () => {
    const later = (web: RecordFacts['web']) =>
      wantedRecords(facts({ web }))
        .filter(({ notYet }) => notYet !== undefined)
        .map(({ name }) => name);
    expect(later(['mta-sts', 'autoconfig', 'autodiscover'])).toEqual([]);
    expect(later(['autoconfig'])).toEqual([
      'mta-sts.example.com',
      '_mta-sts.example.com',
      'autodiscover.example.com',
    ]);
  });

  it('holds back what announces the MTA-STS policy until senders believe its host, and not the name of that', () => {
    const sts = { policyId: 'abc1', mode: 'testing', lack: 'it is signed by itself. Wait.' } as const;
    const records = withPurpose('mta-sts', { domains: [domain('example.com', { sts })], web: ['mta-sts'] });
    expect(records.map(({ type, notYet }) => [type, notYet])).toEqual([
      ['CNAME', undefined],
      ['TXT', 'enter it when the certificate is there; now it is signed by itself. Wait.'],
    ]);
  });

  it.each([
    ['testing', 'mail arrives in any case'],
    ['enforce', 'Begin with "testing"'],
    ['none', 'senders forget'],
  ] as const)('says what the MTA-STS mode %s means', (mode, words) => {
    const domains = [domain('example.com', { sts: { policyId: 'abc1', mode } })];
    expect(withPurpose('mta-sts', { domains }).at(-1)?.why).toContain(words);
  });

  it('names each key of the certificate in a TLSA record, and holds it back until the zone is signed', () => {
    const tlsKeys: RecordFacts['tlsKeys'] = [
      { sha256: 'AB01', role: 'current' },
      { sha256: 'cd02', role: 'next' },
    ];
    expect(lines(withPurpose('dane', { tlsKeys }))).toEqual([
      '_25._tcp.mx.example.com TLSA 3 1 1 ab01',
      '_25._tcp.mx.example.com TLSA 3 1 1 cd02',
    ]);
    const heldBack = (isSigned: boolean) => withPurpose('dane', { tlsKeys, isSigned })[0]?.notYet;
    expect([heldBack(true), heldBack(false)]).toEqual([undefined, expect.stringContaining('is not signed')]);
  });

  it('lets nobody but the ACME account have a certificate of the host, by no other method', () => {
    const acme = {
      issuers: ['ca.example'],
      accountUri: 'https://ca.example/acct/1',
      methods: ['http-01', 'tls-alpn-01'],
    };
    expect(lines(withPurpose('caa', { acme }))).toEqual([
      'mx.example.com CAA 0 issue "ca.example; accounturi=https://ca.example/acct/1; validationmethods=http-01,tls-alpn-01"',
    ]);
    expect(withPurpose('caa')).toEqual([]);
  });
});

describe('the SPF record', () => {
  const spf = (more: Partial<RecordFacts>) =>
    withPurpose('spf', more).find(({ name }) => name === 'example.com')?.data;
  const source = (address: string, senders: string[] = [], ehloName = 'mx.example.com') => ({
    address,
    ehloName,
    senders,
  });

  it('names the addresses that mail leaves from where those are not the ones that it comes in at', () => {
    const sending = [source('192.0.2.9'), source('2001:db8::9')];
    expect(spf({ sending })).toBe('v=spf1 ip4:192.0.2.9 ip6:2001:db8::9 ~all');
  });

  it('names the sources of the domain and of addresses in it, not those of others', () => {
    const sending = [
      source('192.0.2.7', ['example.org']),
      source('192.0.2.8', ['news@example.com']),
      source('192.0.2.9', ['example.com']),
      source('192.0.2.10'),
    ];
    expect(spf({ sending })).toBe('v=spf1 ip4:192.0.2.9 ip4:192.0.2.8 ~all');
    expect(spf({ sending: sending.slice(0, 2).concat(source('192.0.2.10')) })).toBe(
      'v=spf1 ip4:192.0.2.10 ip4:192.0.2.8 ~all',
    );
  });

  it('names the server that all mail leaves by, and says that its operator may know better', () => {
    const domains = [domain('example.com', { relays: ['smtp.provider.example', '192.0.2.99'] })];
    expect(spf({ domains })).toBe('v=spf1 a:smtp.provider.example ip4:192.0.2.99 ~all');
    expect(withPurpose('spf', { domains }).at(-1)?.why).toContain('if its operator names an include:');
  });

  it('is there once where the domain is the name of the host', () => {
    const more = { hostname: 'example.com', domains: [domain('example.com')] };
    const names = lines(withPurpose('spf', more)).filter((line) => line.startsWith('example.com TXT'));
    expect(names).toEqual(['example.com TXT v=spf1 mx ~all']);
  });

  it('is wanted of each name that we introduce ourselves by, with its address', () => {
    const sending = [source('192.0.2.1'), source('192.0.2.9', [], 'out.example.net')];
    const all = lines(wantedRecords(facts({ sending })));
    expect(all).toContain('out.example.net A 192.0.2.9');
    expect(all).toContain('out.example.net TXT v=spf1 a -all');
    expect(all).toContain('9.2.0.192.in-addr.arpa PTR out.example.net.');
  });
});

describe('reports', () => {
  it('go to a mailbox that reads them, and another domain says that it wants them', () => {
    const reportMailboxes = ['reports@example.org'];
    const domains = [domain('example.com'), domain('example.org')];
    const all = wantedRecords(facts({ reportMailboxes, domains }));
    expect(lines(all.filter(({ purpose }) => purpose === 'dmarc'))).toEqual([
      '_dmarc.example.com TXT v=DMARC1; p=none; rua=mailto:reports@example.org',
      '_dmarc.example.org TXT v=DMARC1; p=none; rua=mailto:reports@example.org',
    ]);
    const authorizations = all.filter(({ purpose }) => purpose === 'report-authorization');
    expect(lines(authorizations)).toEqual(['example.com._report._dmarc.example.org TXT v=DMARC1;']);
    expect(authorizations[0]?.domain).toBe('example.org');
  });

  it('need no permission within one domain', () => {
    const reportMailboxes = ['dmarc@mail.example.com'];
    expect(withPurpose('report-authorization', { reportMailboxes })).toEqual([]);
  });
});

describe('recordsFor()', () => {
  it('leaves out other domains, and keeps those of the host, in its own zone', () => {
    const more = { hostname: 'mx.example.net', domains: [domain('example.com'), domain('example.org')] };
    const records = recordsFor('example.com', facts(more));
    expect(new Set(records.filter(({ where }) => where === 'zone').map(({ domain }) => domain))).toEqual(
      new Set(['example.net', 'example.com']),
    );
  });
});

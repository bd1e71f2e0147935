import { expect, test } from 'vitest';
import { zoneFileLines } from './zone-file.ts';

test('zoneFileLines() writes every type as RFC 1035 §5 has it, in columns', () => {
  const lines = zoneFileLines({
    'example.com': { MX: [[10, 'mx.example.com']], TXT: ['v=spf1 mx -all', 'say "\\é"', 'x'.repeat(256)] },
    'mx.example.com': { A: ['192.0.2.1'], AAAA: ['2001:db8::1'] },
    'w.example.com': { CNAME: 'mx.example.com' },
    'null.example': { MX: [[0, '']] },
    '1.2.0.192.in-addr.arpa': { PTR: ['mx.example.com'] },
    '_25._tcp.mx.example': { TLSA: [[3, 1, 1, 'AB12']] },
    '_pop3s._tcp.example': { SRV: [[0, 1, 995, 'mx.example']] },
    'z.example': { CAA: [[0, 'issue', 'ca.example']], NS: ['ns.example'], DS: [[1, 13, 2, 'cd']] },
  });
  expect(lines).toEqual([
    'example.com.             300  IN  MX     10 mx.example.com.',
    'example.com.             300  IN  TXT    "v=spf1 mx -all"',
    'example.com.             300  IN  TXT    "say \\"\\\\\\195\\169\\""',
    `example.com.             300  IN  TXT    "${'x'.repeat(255)}" "x"`,
    'mx.example.com.          300  IN  A      192.0.2.1',
    'mx.example.com.          300  IN  AAAA   2001:db8::1',
    'w.example.com.           300  IN  CNAME  mx.example.com.',
    'null.example.            300  IN  MX     0 .',
    '1.2.0.192.in-addr.arpa.  300  IN  PTR    mx.example.com.',
    '_25._tcp.mx.example.     300  IN  TLSA   3 1 1 ab12',
    '_pop3s._tcp.example.     300  IN  SRV    0 1 995 mx.example.',
    'z.example.               300  IN  CAA    0 issue "ca.example"',
    'z.example.               300  IN  NS     ns.example.',
    'z.example.               300  IN  DS     1 13 2 cd',
  ]);
});

/** What domains publish of TLS and of reports: the records and the policy of MTA-STS, and where reports are to go. */

import { mailUris } from '../../src/dmarc-rpt/record.ts';
import { allowsHost, parsePolicy } from '../../src/mta-sts/policy.ts';
import { readPolicyId } from '../../src/mta-sts/record.ts';
import { formatPolicy } from '../../src/mta-sts/serve.ts';
import { readReportUris } from '../../src/tls-rpt/record.ts';
import { octetsOf, readTestdata, textsIn } from '../corpus.ts';
import { between, demand, demandSame, type Target } from './target.ts';

const suite = (name: string): Buffer[] => {
  const cases = readTestdata('tls-policies/mox.json');
  const wanted = Object.entries(cases ?? {}).filter(([key]) => key === name);
  return octetsOf(textsIn(wanted, 'text'));
};

const stsRecord: Target = {
  name: 'sts-record',
  seeds: () => suite('sts-record'),
  read: (input) => readPolicyId([input.toString('latin1')]),
  check(input) {
    const id = readPolicyId([input.toString('latin1')]);
    demand(id === undefined || /^[A-Za-z0-9]{1,32}$/.test(id), 'not an id');
  },
  places: [between('v=STSv1; id=', 'x'), between('v=STSv1', ';id=1'), between('v=STSv1; id=1;', '=x')],
};

const stsPolicy: Target = {
  name: 'sts-policy',
  seeds: () => suite('sts-policy'),
  read: (input) => parsePolicy(input.toString('utf8')),
  check(input) {
    const policy = parsePolicy(input.toString('utf8'));
    if ('problem' in policy) return demand(policy.problem.length <= 300, 'a problem is told at length');
    demand(policy.mx.length > 0 || policy.mode === 'none', 'a policy for no host');
    for (const host of policy.mx)
      demand(allowsHost(policy, host.replace('*', 'a')), 'a host of its own is refused');
    // What we serve ourselves is what others read.
    if (policy.mx.length > 0) demandSame('what is served', policy, parsePolicy(formatPolicy(policy)));
  },
  places: [
    between('version: STSv1\nmode: a', 'x\n'),
    between('version: STSv1\nmode: enforce\nmax_age: 1\nmx: ', 'x'),
    between('version: STSv1\nmode: enforce\nmax_age: ', '\nmx: a.example'),
    between('', ': x\n'),
  ],
};

const reportRecord: Target = {
  name: 'tlsrpt-record',
  seeds: () => suite('tlsrpt-record'),
  read: (input) => mailUris(readReportUris([input.toString('latin1')])),
  check(input) {
    const uris = readReportUris([input.toString('latin1')]);
    demand(uris.length <= 10 && uris.every((uri) => URL.canParse(uri)), 'more than ten, or no URIs');
    for (const { address, maxBytes = 0 } of mailUris(uris))
      demand(address.domain !== '' && Number.isSafeInteger(maxBytes), 'nobody to write to');
  },
  places: [
    between('v=TLSRPTv1; rua=mailto:', '@example.org'),
    between('v=TLSRPTv1; rua=', ',mailto:a@example.org'),
    between('v=TLSRPTv1; rua=mailto:a@example.org!', 'x'),
  ],
};

export const published: readonly Target[] = [stsRecord, stsPolicy, reportRecord];

/** What mail programs look for to set themselves up: SRV records (RFC 6186, RFC 8314 §5.1), autoconfig, autodiscover. */

import type { ClientService, DomainFacts, RecordFacts, WantedRecord } from './wanted-record.ts';

/** In the order in which they are listed; those with TLS from the first octet come first (RFC 8314 §3). */
const services: readonly ClientService[] = ['submissions', 'submission', 'pop3s', 'pop3', 'imaps', 'imap'];

export function clientRecords(domain: DomainFacts, facts: RecordFacts): WantedRecord[] {
  return [...serviceRecords(domain, facts), ...webRecords(domain, facts)];
}

/** What is not there is said not to be: a target of "." (RFC 6186 §3.4), so that no program keeps on trying. */
function serviceRecords({ name }: DomainFacts, { hostname, clients }: RecordFacts): WantedRecord[] {
  if (Object.keys(clients).length === 0) return [];
  return services.map((service, index) => {
    const port = clients[service];
    return {
      domain: name,
      name: `_${service}._tcp.${name}`,
      type: 'SRV',
      data: port === undefined ? '0 0 0 .' : `${index % 2} 1 ${port} ${hostname}.`,
      purpose: 'client-srv',
      need: 'optional',
      why:
        port === undefined
          ? `mail programs need not look for ${service}: it is not offered here`
          : 'mail programs that know RFC 6186 set themselves up by it',
      where: 'zone',
    };
  });
}

function webRecords({ name }: DomainFacts, { hostname, web }: RecordFacts): WantedRecord[] {
  const programs = { autoconfig: 'Thunderbird and others look', autodiscover: 'Outlook looks' } as const;
  return (['autoconfig', 'autodiscover'] as const)
    .filter((service) => `${service}.${name}` !== hostname)
    .map((service) => ({
      domain: name,
      name: `${service}.${name}`,
      type: 'CNAME',
      data: `${hostname}.`,
      purpose: 'autoconfig',
      need: 'optional',
      why: `where ${programs[service]} for the settings of an account`,
      where: 'zone',
      ...(!web.includes(service) && {
        notYet: `a web server must answer there first: add [[listener]] protocol = "https"`,
      }),
    }));
}

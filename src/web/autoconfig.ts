/**
 * What Thunderbird and others that know its format ask for when somebody types in an address: `config-v1.1.xml` (Mozilla's
 * "Autoconfiguration", version 1.1). The same for every address of a domain: it does not tell which there are.
 */

import type { ClientService } from '../config/client-services.ts';
import { writeXml, type XmlNode } from '../util/write-xml.ts';

/** The first service of a kind is what a program takes if it can. */
export function autoconfig(domain: string, services: readonly ClientService[]): string {
  return writeXml([
    'clientConfig',
    [
      [
        'emailProvider',
        [
          ['domain', domain],
          ['displayName', domain],
          ['displayShortName', domain],
          ...services.map(serverOf),
        ],
        { id: domain },
      ],
    ],
    { version: '1.1' },
  ]);
}

function serverOf(service: ClientService): XmlNode {
  const { does, host, port, encryption } = service;
  const place: XmlNode[] = [
    ['hostname', host],
    ['port', port],
    ['socketType', encryption === 'tls' ? 'SSL' : 'STARTTLS'],
    ['username', '%EMAILADDRESS%'],
    ['authentication', 'password-cleartext'],
  ];
  if (does === 'send') return ['outgoingServer', place, { type: 'smtp' }];
  const kept: XmlNode = ['pop3', [['leaveMessagesOnServer', 'true']]];
  return ['incomingServer', [...place, kept], { type: 'pop3' }];
}

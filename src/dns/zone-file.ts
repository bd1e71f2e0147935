/** A zone's plain data as lines of a zone file, to be read by people or given to a real name server. RFC 1035 §5. */

import { defaultTtl, recordsOf, type ZoneData, type ZoneRecord } from './zone-data.ts';

/** One line per record, in columns: `example.com.  300  IN  MX  10 mx.example.com.` */
export function zoneFileLines(data: ZoneData, ttl: number = defaultTtl): string[] {
  const records = recordsOf(data, ttl);
  const width = Math.max(0, ...records.map(({ name }) => name.length + 1));
  return records.map((record) => {
    const owner = `${record.name}.`.padEnd(width);
    return `${owner}  ${record.ttl}  IN  ${record.type.padEnd(5)}  ${presentation(record)}`;
  });
}

function presentation(record: ZoneRecord): string {
  switch (record.type) {
    case 'MX':
      return `${record.data.preference} ${absolute(record.data.exchange)}`;
    case 'TXT':
      return [record.data].flat().map(quoted).join(' ');
    case 'TLSA': {
      const { usage, selector, matchingType, certificate } = record.data;
      return `${usage} ${selector} ${matchingType} ${certificate.toString('hex')}`;
    }
    case 'SOA': {
      const { mname, rname, serial, refresh, retry, expire, minimum } = record.data;
      return [absolute(mname), absolute(rname), serial, refresh, retry, expire, minimum].join(' ');
    }
    case 'SRV': {
      const { priority, weight, port, target } = record.data;
      return [priority, weight, port, absolute(target)].join(' ');
    }
    case 'CAA':
      return `${record.data.flags} ${record.data.tag} "${record.data.value}"`;
    case 'DS': {
      const { keyTag, algorithm, digestType, digest } = record.data;
      return `${keyTag} ${algorithm} ${digestType} ${digest.toString('hex')}`;
    }
    case 'DNSKEY': {
      const { flags, algorithm, key } = record.data;
      return `${flags} 3 ${algorithm} ${key.toString('base64')}`;
    }
    case 'A':
    case 'AAAA':
      return record.data;
    default:
      return absolute(record.data);
  }
}

function absolute(name: string): string {
  return name === '.' ? name : `${name}.`;
}

/** A character-string between quotes; what is not printable ASCII as `\DDD` (RFC 1035 §5.1). */
function quoted(octets: Buffer | string): string {
  const text = Buffer.from(octets).toString('latin1');
  const escaped = text.replace(/["\\]/g, '\\$&').replace(/[^ -~]/g, decimalEscape);
  return `"${escaped}"`;
}

function decimalEscape(octet: string): string {
  return `\\${octet.charCodeAt(0).toString().padStart(3, '0')}`;
}

/** The DNS inside a network of its own: serves a zone, given as a JSON file, at 127.0.0.1 port 53 until it is ended. */

import { readFile } from 'node:fs/promises';
import { zone } from '../../src/dns/zone.ts';
import { serveZone } from '../../src/net/dns-server.ts';

const [file = ''] = process.argv.slice(2);
await serveZone(zone(JSON.parse(await readFile(file, 'utf8'))), { port: 53 });
console.log('serving');

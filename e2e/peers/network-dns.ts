/**
 * The DNS inside a network of its own: serves a zone, given as a JSON file, at 127.0.0.1 port 53 until it is ended. The file is
 * read for every question: who changes it changes the zone.
 */

import { readFileSync } from 'node:fs';
import { zone } from '../../src/dns/zone.ts';
import { serveZone } from '../../src/net/dns-server.ts';

const [file = ''] = process.argv.slice(2);
const read = () => zone(JSON.parse(readFileSync(file, 'utf8')));
read(); // what is wrong with it is told at once
await serveZone({ answer: (name, type) => read().answer(name, type) }, { port: 53 });
console.log('serving');

/** Faults of the DKIM key's record (RFC 6376 §3.6.1). */

import { generateKeyPairSync } from 'node:crypto';
import { edit, move, textAt } from './edits.ts';
import type { Fault, Planting } from './fault.ts';

const keyName = ({ selector, domain }: Planting): string => `${selector}._domainkey.${domain}`;

const dkim = (change: (text: string) => string) => (model: Planting) =>
  edit(model.zone, keyName(model), { TXT: [change(textAt(model, keyName(model)))] });

/** Anybody's: what is published is no secret any more. */
const somePrivateKey = (): string =>
  generateKeyPairSync('rsa', { modulusLength: 1024 })
    .privateKey.export({ type: 'pkcs8', format: 'der' })
    .toString('base64');

export const dkimFaults: readonly Fault[] = [
  {
    id: 'dkim-missing',
    what: 'the DKIM key is not published',
    plant(model) {
      delete model.zone[keyName(model)];
    },
  },
  {
    id: 'dkim-misplaced',
    what: 'the DKIM key stands at a name with the domain twice',
    plant: (model) => move(model, keyName(model), `${keyName(model)}.${model.domain}`),
    says: /adds the domain/,
  },
  {
    id: 'dkim-misplaced',
    what: 'the DKIM key stands at a name without _domainkey',
    plant: (model) => move(model, keyName(model), `${model.selector}.${model.domain}`),
  },
  {
    id: 'dkim-other-selector',
    what: 'the DKIM key stands under another selector',
    plant: (model) => move(model, keyName(model), `default._domainkey.${model.domain}`),
    says: /default\._domainkey/,
  },
  {
    id: 'dkim-two-records',
    what: 'the old DKIM key is still there',
    plant(model) {
      edit(model.zone, keyName(model), { TXT: [textAt(model, keyName(model)), 'v=DKIM1; k=rsa; p='] });
    },
  },
  { id: 'dkim-syntax', what: 'the DKIM record has no p=', plant: dkim((text) => text.replace('p=', '')) },
  {
    id: 'dkim-syntax',
    what: 'the DKIM record has another version',
    plant: dkim((text) => text.replace('DKIM1', 'DKIM2')),
  },
  {
    id: 'dkim-quotes',
    what: 'quotes stand within the DKIM key',
    plant: dkim((text) => `${text.slice(0, 200)}" "${text.slice(200)}`),
    says: /after/,
  },
  {
    id: 'dkim-truncated',
    what: 'the DKIM record is cut at 255 characters',
    plant: dkim((text) => text.slice(0, 255)),
    says: /255/,
  },
  {
    id: 'dkim-mistyped',
    what: 'the DKIM record misses 4 characters',
    plant: dkim((text) => text.slice(0, 100) + text.slice(104)),
    says: /misses 4 characters after/,
  },
  {
    id: 'dkim-mistyped',
    what: 'a character of the DKIM record is wrong',
    plant: dkim((text) => `${text.slice(0, 150)}${text[150] === 'A' ? 'B' : 'A'}${text.slice(151)}`),
    says: /instead of/,
  },
  {
    id: 'dkim-mistyped',
    what: 'the DKIM record has characters too many',
    plant: dkim((text) => `${text.slice(0, 120)}xyz${text.slice(120)}`),
    says: /too many/,
  },
  {
    id: 'dkim-other-key',
    what: 'another DKIM key is published',
    plant: dkim((text) =>
      text.replace(/p=.*/, (key) => `p=${[...key.slice(2)].reverse().join('').replace(/=/g, '')}`),
    ),
  },
  { id: 'dkim-revoked', what: 'the DKIM key is revoked', plant: dkim((text) => text.replace(/p=.*/, 'p=')) },
  {
    id: 'dkim-not-for-mail',
    what: 'the DKIM record names another kind of key',
    plant: dkim((text) => text.replace('k=rsa', 'k=ed25519')),
  },
  {
    id: 'dkim-testing',
    what: 'the DKIM key is being tested',
    plant: dkim((text) => text.replace('k=rsa', 'k=rsa; t=y')),
  },
  {
    id: 'dkim-two-records',
    what: 'the DKIM key was entered as two records instead of two pieces',
    plant(model) {
      const text = textAt(model, keyName(model));
      edit(model.zone, keyName(model), { TXT: [text.slice(0, 255), text.slice(255)] });
    },
    says: /halves|pieces/,
  },
  {
    id: 'dkim-quotes',
    what: 'the semicolons of the DKIM record have backslashes',
    plant: dkim((text) => text.replaceAll(';', '\\;')),
    says: /backslash|\\/,
  },
  {
    id: 'dkim-quotes',
    what: 'the whole line of the zone file was entered as DKIM key',
    plant: (model) => dkim((text) => `${keyName(model)}. 3600 IN TXT "${text}"`)(model),
    says: /zone file/,
  },
  {
    id: 'dkim-mistyped',
    what: 'the DKIM key has the frame of its file around it',
    plant: dkim((text) => text.replace(/p=(.*)/, 'p=-----BEGIN PUBLIC KEY-----$1-----END PUBLIC KEY-----')),
    says: /BEGIN/,
  },
  {
    id: 'dkim-mistyped',
    what: 'the DKIM key is in lower case',
    plant: dkim((text) => text.replace(/p=.*/, (key) => key.toLowerCase())),
    says: /capital|lower/,
  },
  {
    id: 'dkim-mistyped',
    what: 'the plus signs of the DKIM key have become spaces',
    plant: dkim((text) => text.replaceAll('+', ' ')),
    says: /plus signs|misses/,
  },
  {
    id: 'dkim-private-key',
    what: 'the private DKIM key is published',
    plant: dkim((text) => text.replace(/p=.*/, `p=${somePrivateKey()}`)),
    says: /dkim generate/,
  },
  {
    id: 'dkim-not-for-mail',
    what: 'the DKIM record wants SHA-1',
    plant: dkim((text) => text.replace('k=rsa', 'k=rsa; h=sha1')),
    says: /sha1/,
  },
  {
    id: 'dkim-missing',
    what: 'the DKIM key is an alias that leads nowhere',
    plant(model) {
      model.zone[keyName(model)] = { CNAME: 'gone.keys.example' };
    },
    says: /gone\.keys\.example/,
  },
];

/**
 * The shape of `posthorn.toml`: every key, its kind and its default. What must agree between keys is in
 * `cross-checks.ts`; what the file system must hold is in `files.ts`.
 */

import * as v from 'valibot';
import { acmeShape } from './acme.ts';
import * as kinds from './kinds.ts';
import { completeListener, listenerShape } from './listeners.ts';
import {
  accountsShape,
  controlShape,
  introspectionShape,
  loginShape,
  oauthShape,
  sendmailSenderShape,
  sendmailShape,
} from './people.ts';
import {
  abuseShape,
  arcShape,
  checkShape,
  dkimShape,
  domainShape,
  dossierShape,
  filterShape,
  greylistingShape,
  limitsShape,
  policyShape,
  reportsShape,
} from './receiving.ts';
import {
  deliveryShape,
  fallbackPortsShape,
  guardShape,
  relayShape,
  siteShape,
  sourceShape,
  suppressionShape,
  transportShape,
} from './sending.ts';
import * as values from './values.ts';
import { mtaStsShape, webShape } from './web.ts';

/** Both or none, as `certificate-checks.ts` sees to, and so below. */
export const tlsShape = (directory: string) => ({
  cert: v.exactOptional(values.path(directory)),
  key: v.exactOptional(values.path(directory)),
});

/** Files, or names: then it comes by ACME. */
export const certificateShape = (directory: string) => ({
  cert: v.exactOptional(values.path(directory)),
  key: v.exactOptional(values.path(directory)),
  names: v.exactOptional(kinds.list(values.certificateName(), '["mail.example.org"]')),
});

const listenerSchema = (directory: string) =>
  v.pipe(kinds.table(listenerShape(directory)), v.transform(completeListener));
const domainSchema = (directory: string) => kinds.table(domainShape(directory));
const deliverySchema = (directory: string) => kinds.table(deliveryShape(directory));
const transportSchema = (directory: string) => kinds.table(transportShape(directory));
const filterSchema = (directory: string) => kinds.table(filterShape(directory));
const tlsSchema = (directory: string) => kinds.table(tlsShape(directory));
const certificateSchema = (directory: string) => kinds.table(certificateShape(directory));

/** `directory` is where the file lies: relative paths begin there. */
const fileShape = (directory: string) => ({
  hostname: values.hostName(),
  dataDir: v.optional(values.path(directory), './data'),
  resolver: v.optional(kinds.list(values.dnsServer(), '["127.0.0.1"]'), []),
  listener: v.optional(v.array(listenerSchema(directory)), []),
  tls: v.exactOptional(tlsSchema(directory)),
  certificate: v.optional(v.array(certificateSchema(directory)), []),
  acme: v.exactOptional(kinds.table(acmeShape(directory))),
  domain: v.optional(v.array(domainSchema(directory)), []),
  policy: v.optional(v.array(kinds.table(policyShape)), []),
  transport: v.optional(v.array(transportSchema(directory)), []),
  relay: v.optional(kinds.table(relayShape), {}),
  delivery: v.optional(deliverySchema(directory), {}),
  filter: v.optional(v.array(filterSchema(directory)), []),
  site: v.optional(v.array(kinds.table(siteShape)), []),
  source: v.optional(v.array(kinds.table(sourceShape)), []),
  guard: v.optional(kinds.table(guardShape), {}),
  sendmail: v.optional(kinds.table(sendmailShape), {}),
  greylisting: v.optional(kinds.table(greylistingShape), {}),
  limits: v.optional(kinds.table(limitsShape), {}),
  abuse: v.optional(kinds.table(abuseShape), {}),
  control: v.optional(kinds.table(controlShape(directory)), {}),
  accounts: v.optional(kinds.table(accountsShape), {}),
  login: v.optional(kinds.table(loginShape), {}),
  oauth: v.exactOptional(kinds.table(oauthShape(directory))),
  dossier: v.optional(kinds.table(dossierShape), {}),
  reports: v.optional(kinds.table(reportsShape), {}),
  suppression: v.optional(kinds.table(suppressionShape), {}),
  arc: v.optional(kinds.table(arcShape), {}),
  web: v.optional(kinds.table(webShape(directory)), {}),
});

export const fileSchema = (directory: string) => kinds.table(fileShape(directory));

export type FileContent = v.InferOutput<ReturnType<typeof fileSchema>>;

/** Every table, by its path without list indexes; '' is the top of the file. */
export const shapes: ReadonlyMap<string, v.ObjectEntries> = new Map<string, v.ObjectEntries>([
  ['', fileShape('')],
  ['listener', listenerShape('')],
  ['tls', tlsShape('')],
  ['certificate', certificateShape('')],
  ['acme', acmeShape('')],
  ['domain', domainShape('')],
  ['domain.dkim', dkimShape('')],
  ['domain.mtaSts', mtaStsShape],
  ['policy', policyShape],
  ['policy.checks', checkShape],
  ['transport', transportShape('')],
  ['filter', filterShape('')],
  ['relay', relayShape],
  ['delivery', deliveryShape('')],
  ['delivery.fallbackPorts', fallbackPortsShape],
  ['site', siteShape],
  ['source', sourceShape],
  ['guard', guardShape],
  ['sendmail', sendmailShape],
  ['sendmail.senders', sendmailSenderShape],
  ['limits', limitsShape],
  ['abuse', abuseShape],
  ['control', controlShape('')],
  ['accounts', accountsShape],
  ['login', loginShape],
  ['oauth', oauthShape('')],
  ['oauth.introspection', introspectionShape('')],
  ['dossier', dossierShape],
  ['reports', reportsShape],
  ['suppression', suppressionShape],
  ['greylisting', greylistingShape],
  ['arc', arcShape],
  ['web', webShape('')],
]);

/** The keys of every table. For suggestions. */
export const knownKeys: ReadonlyMap<string, readonly string[]> = new Map(
  [...shapes].map(([table, shape]) => [table, Object.keys(shape)]),
);

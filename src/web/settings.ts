/** What the programs of others read of a domain of ours: which hosts take its mail, and how its users' programs are set up. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { clientServices } from '../config/client-services.ts';
import type { Config } from '../config/config.ts';
import type { DomainConfig } from '../config/receiving.ts';
import { stsPolicyOf } from '../config/sts-policies.ts';
import { addressKey, parseAddress } from '../mail/address.ts';
import { formatPolicy } from '../mta-sts/serve.ts';
import { nothingHere, say } from './answers.ts';
import { autoconfig } from './autoconfig.ts';
import { readQuestion, refusalAnswer, settingsAnswer } from './autodiscover.ts';
import { mobileconfig } from './mobileconfig.ts';
import type { VisitOf } from './visits.ts';

type Query = Readonly<Record<string, string | string[] | undefined>>;
type Asked = FastifyRequest<{ Querystring: Query }>;

/** RFC 8461 §3.2, by HTTPS only (§3.3). */
export const policyPath = '/.well-known/mta-sts.txt';

/** At autoconfig.DOMAIN, and at DOMAIN; Thunderbird asks for either with ?emailaddress=. */
const autoconfigPaths = ['/mail/config-v1.1.xml', '/.well-known/autoconfig/mail/config-v1.1.xml'];

/** Outlook's versions do not agree about letters. */
const autodiscoverPaths = [
  '/autodiscover/autodiscover.xml',
  '/Autodiscover/Autodiscover.xml',
  '/AutoDiscover/AutoDiscover.xml',
];

export function serveSettings(app: FastifyInstance, config: Config, visitOf: VisitOf): void {
  const services = clientServices(config);
  const ours = (name: string) => config.domains.find((domain) => domain.name === name);

  app.get(policyPath, (request, reply) => {
    const { site } = visitOf(request);
    if (site?.role !== 'policy' || !site.domain) return nothingHere(reply);
    return cached(reply)
      .type('text/plain')
      .send(formatPolicy(stsPolicyOf(config, site.domain)));
  });

  const domainFor = (request: Asked): DomainConfig | undefined => {
    const { site } = visitOf(request);
    if (site?.role !== 'clients') return undefined;
    const address = addressIn(request.query.emailaddress);
    return address === undefined ? site.domain : ours(address.domain);
  };
  for (const path of autoconfigPaths)
    app.get(path, (request: Asked, reply) => {
      const domain = domainFor(request);
      if (!domain) return nothingHere(reply);
      return cached(reply).type('application/xml').send(autoconfig(domain.name, services));
    });

  for (const path of autodiscoverPaths)
    app.post(path, (request, reply) => {
      if (visitOf(request).site?.role !== 'clients') return nothingHere(reply);
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      return privately(reply)
        .type('text/xml')
        .send(discovered(body, ours, services));
    });

  app.get('/mobileconfig', (request: Asked, reply) => {
    if (visitOf(request).site?.role !== 'clients') return nothingHere(reply);
    const address = addressIn(request.query.address);
    if (!address) return say(reply, 400, 'Add your address: /mobileconfig?address=you@example.com');
    const domain = ours(address.domain);
    const profile = domain && mobileconfig({ address: addressKey(address), domain: domain.name, services });
    if (profile === undefined) return nothingHere(reply);
    return privately(reply)
      .type('application/x-apple-aspen-config')
      .header('content-disposition', `attachment; filename="${address.domain}.mobileconfig"`)
      .send(profile);
  });
}

function discovered(
  body: Buffer,
  ours: (name: string) => DomainConfig | undefined,
  services: Parameters<typeof settingsAnswer>[1],
): string {
  const question = readQuestion(body);
  if ('code' in question) return refusalAnswer(question);
  const address = parseAddress(question.address);
  if (!address) return refusalAnswer({ code: 600, message: 'Invalid request: EMailAddress is no address' });
  if (!ours(address.domain))
    return refusalAnswer({ code: 601, message: 'This domain is none of this server' });
  return settingsAnswer(addressKey(address), services);
}

const addressIn = (value: string | string[] | undefined) =>
  typeof value === 'string' ? parseAddress(value) : undefined;

/** The same for everybody; a change is to be seen soon. */
const cached = (reply: FastifyReply): FastifyReply => reply.header('cache-control', 'public, max-age=300');
const privately = (reply: FastifyReply): FastifyReply => reply.header('cache-control', 'no-store');

/** One certificate, from the order to the chain: RFC 8555 §7.4. What comes back is looked at before it is believed. */

import type { KeyObject } from 'node:crypto';
import { coversName, dateText, type KeyPair, parseKeyPair } from '../net/key-pair.ts';
import { writeRequest } from '../util/certificate-writer.ts';
import type { Log } from '../util/log.ts';
import type { AcmeClient, PlacedOrder } from './acme-client.ts';
import { AcmeError, nonsense, problemText, problemType } from './acme-error.ts';
import { keyAuthorization } from './jws.ts';
import type { Authorization, Challenge } from './resources.ts';
import type { Responder } from './responders.ts';

export interface ObtainParts {
  client: AcmeClient;
  accountKey: KeyObject;
  responder: Responder;
  log: Log;
  now(): number;
}

export interface CertificateWanted {
  names: readonly string[];
  key: KeyObject;
  /** The certificate that it replaces, as RFC 9773 §4.1 names it. */
  replaces?: string | undefined;
}

/** Rejects with an AcmeError, or the signal's reason. */
export async function obtainCertificate(parts: ObtainParts, wanted: CertificateWanted): Promise<KeyPair> {
  const { client } = parts;
  const order = await placeOrder(client, wanted);
  for (const url of order.authorizations) await prove(parts, url, wanted.names);
  const ready = await client.settledOrder(order, ['ready', 'valid']);
  if (ready.status === 'ready') await client.finalize(order, writeRequest(wanted.names, wanted.key));
  const { certificate } = await client.settledOrder(order, ['valid']);
  if (certificate === undefined) throw nonsense('an order is done without a certificate');
  return checked(await client.certificate(certificate), wanted, parts.now());
}

/** What replaces what is only for an authority that gives advice; one that does not care for it gets the order without (RFC 9773 §5). */
async function placeOrder(client: AcmeClient, { names, replaces }: CertificateWanted): Promise<PlacedOrder> {
  const { renewalInfo } = await client.directory();
  if (replaces === undefined || renewalInfo === undefined) return client.newOrder(names);
  try {
    return await client.newOrder(names, replaces);
  } catch (error) {
    if (!(error instanceof AcmeError) || error.trouble !== 'refused') throw error;
    return client.newOrder(names);
  }
}

async function prove(
  { client, accountKey, responder, log }: ObtainParts,
  url: URL,
  names: readonly string[],
): Promise<void> {
  const authorization = await client.authorization(url);
  if (authorization.status === 'valid') return;
  const { name } = authorization;
  // For a wildcard the authority asks about the name below which it is (RFC 8555 §7.1.4).
  if (!names.includes(name) && !names.includes(`*.${name}`)) throw nonsense(`it asks about ${name}`);
  const challenge = challengeOf(authorization, responder);
  const { token } = challenge;
  const shown = { name, token, keyAuthorization: keyAuthorization(token, accountKey) };
  const remove = await responder.present(shown);
  try {
    await client.ready(challenge.url);
    const decided = await client.decidedAuthorization(url);
    if (decided.status !== 'valid') throw notProven(decided, responder);
  } finally {
    await remove().catch((error: Error) =>
      log.warn({ name, error: error.message }, 'what the authority was shown could not be taken away again'),
    );
  }
}

function challengeOf({ name, status, challenges }: Authorization, { type }: Responder): Challenge {
  if (status !== 'pending') throw new AcmeError('refused', `the authority has refused ${name} before`);
  const found = challenges.find((challenge) => challenge.type === type);
  if (found !== undefined) return found;
  const others = challenges.map((challenge) => challenge.type).join(', ') || 'nothing';
  throw new AcmeError('refused', `the authority offers ${others} for ${name}, and not ${type}`);
}

function notProven({ name, challenges }: Authorization, { type }: Responder): AcmeError {
  const challenge = challenges.find((one) => one.type === type);
  const why = problemText(challenge?.error) ?? 'it does not say why';
  const details = { type: problemType(challenge?.error) };
  // CAA is looked at along with the proof, which may have been in order.
  if (details.type === 'caa')
    return new AcmeError('refused', `the authority refuses ${name}: ${why}`, details);
  return new AcmeError(
    'refused',
    `the authority did not find (${type}) that ${name} is ours: ${why}`,
    details,
  );
}

function checked(pem: string, { names, key }: CertificateWanted, now: number): KeyPair {
  const pair = readPair(pem, key);
  const { notAfter } = pair.facts;
  const missing = names.filter((name) => !coversName(pair.facts.names, name));
  if (missing.length > 0) throw nonsense(`its certificate is not for ${missing.join(', ')}`);
  if (notAfter <= now)
    throw nonsense(
      `its certificate ended ${dateText(notAfter)}: is the clock of this machine right (${dateText(now)})?`,
    );
  return pair;
}

function readPair(pem: string, key: KeyObject): KeyPair {
  try {
    return parseKeyPair(pem, key.export({ type: 'pkcs8', format: 'pem' }).toString());
  } catch (error) {
    throw nonsense(`of its certificate, ${error instanceof Error ? error.message : String(error)}`);
  }
}

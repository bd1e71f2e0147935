/**
 * DKIM verification (RFC 6376, RFC 8301, RFC 8463): mailauth does the work, on a header cut to what the signatures
 * need and on a body that streams by and is hashed by ourselves. What it is given is bounded by dkimLimits; what it
 * throws does not get out.
 */

import { pipeline } from 'node:stream/promises';
import type { HeaderField } from '../mail/header.ts';
import type { LookUps } from './look-ups.ts';
import { type SignedHeader, selectSigned } from './signed-header.ts';
import { SinglePassVerifier } from './single-pass-verifier.ts';
import type { DkimResult, DkimVerdict } from './verdicts.ts';

/** RFC 8301 §3.2. */
const leastRsaBits = 1024;
const ed25519Bits = 256;

export interface DkimOptions {
  lookUps: LookUps;
  /** Milliseconds since the epoch: signatures expire. */
  now: number;
}

/** Verifies the signatures among `fields`; `body` is read only where there are any. Rejects where `body` does. */
export async function checkDkim(
  options: DkimOptions,
  fields: readonly HeaderField[],
  body: AsyncIterable<Buffer>,
): Promise<DkimVerdict[]> {
  const selected = selectSigned(fields);
  const verified = selected.header ? await verify(options, selected.header, body) : [];
  return [...verified, ...skippedVerdicts(selected)];
}

async function verify({ lookUps, now }: DkimOptions, header: Buffer, body: AsyncIterable<Buffer>) {
  let sourceError: unknown;
  const message = joined(header, body, (error) => {
    sourceError = error;
  });
  const verifier = new SinglePassVerifier({
    resolver: lookUps.resolve,
    strict: true,
    minBitLength: leastRsaBits,
    curTime: new Date(now),
    sender: '<>',
  });
  try {
    await pipeline(message, verifier);
    return verifier.results.map(toVerdict);
  } catch (error) {
    if (lookUps.signal.aborted) return [unverified('temperror', 'no time was left to read the message')];
    if (sourceError !== undefined) throw sourceError;
    return [
      unverified('permerror', `cannot be evaluated: ${error instanceof Error ? error.message : error}`),
    ];
  }
}

/** The message as the verifier reads it. `onError` learns of errors of the source, which are not the message's. */
async function* joined(header: Buffer, body: AsyncIterable<Buffer>, onError: (error: unknown) => void) {
  yield header;
  try {
    yield* body;
  } catch (error) {
    onError(error);
    throw error;
  }
}

type Verification = SinglePassVerifier['results'][number];

const results: readonly DkimResult[] = ['pass', 'fail', 'neutral', 'policy', 'temperror', 'permerror'];

function toVerdict({
  status,
  signingDomain,
  selector,
  algo,
  signature,
  modulusLength,
}: Verification): DkimVerdict {
  const result = results.find((word) => word === status.result) ?? 'neutral';
  const algorithm = printable(algo).toLowerCase();
  const keyBits =
    modulusLength ?? (result === 'pass' && algorithm.startsWith('ed25519') ? ed25519Bits : undefined);
  return {
    result,
    domain: printable(signingDomain).toLowerCase(),
    selector: printable(selector),
    algorithm,
    ...(keyBits === undefined ? {} : { keyBits }),
    signature: printable(signature).slice(0, 8),
    aligned: false,
    reason: reasonFor(status),
  };
}

function reasonFor({ result, comment, underSized, testing, policy }: Verification['status']): string {
  const reasons = [
    comment ?? policy?.['dkim-rules'] ?? (result === 'pass' ? 'verified' : result),
    ...(underSized ? [`the last ${underSized} octets of the body are not signed (l=)`] : []),
    ...(testing ? ['the domain is testing DKIM (t=y)'] : []),
  ];
  return reasons.join('; ');
}

const longestName = 255;

/** What a hostile field holds in place of a name is not carried on. */
function printable(value: unknown): string {
  const text = typeof value === 'string' ? value : '';
  return text.length <= longestName || /^[A-Za-z0-9+/=]+$/.test(text)
    ? text.replace(/[^\x21-\x7e]/g, '?')
    : '';
}

function unverified(result: DkimResult, reason: string): DkimVerdict {
  return { result, domain: '', selector: '', algorithm: '', signature: '', aligned: false, reason };
}

function skippedVerdicts({ skipped }: SignedHeader): DkimVerdict[] {
  if (!skipped) return [];
  const { signatures, reason } = skipped;
  return [
    unverified(
      'policy',
      `${signatures} ${signatures === 1 ? 'signature' : 'signatures'} not checked: ${reason}`,
    ),
  ];
}

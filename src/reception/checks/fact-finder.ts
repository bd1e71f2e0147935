/** Asks the sources for the facts that the policies in use need: those of client and recipient first, those of the message last. */

import type { SenderLists } from '../../policy/condition.ts';
import { conditions } from '../../policy/conditions.ts';
import type { FactName, Facts, RecipientFacts } from '../../policy/facts.ts';
import type { Check, Policy } from '../../policy/policy.ts';
import type { AboutClient, AboutMessage, AboutRecipient, FactSource } from './fact-source.ts';

export class FactFinder {
  readonly #client: readonly FactSource[];
  readonly #recipient: readonly FactSource[];
  readonly #message: readonly FactSource[];

  constructor(sources: readonly FactSource[], policies: readonly Policy[]) {
    const needed = factsNeeded(policies);
    const early = factsNeeded(policies.map(withEarlyChecks));
    const active = sources.filter(({ finds, onlyEarly }) =>
      finds.some((name) => (onlyEarly ? early : needed).has(name)),
    );
    this.#client = active.filter(({ ofClient }) => ofClient !== undefined);
    this.#recipient = active.filter(({ ofRecipient }) => ofRecipient !== undefined);
    this.#message = active.filter(({ ofMessage }) => ofMessage !== undefined);
  }

  /** Somebody has to be asked about clients. */
  get looksAtClients(): boolean {
    return this.#client.length > 0;
  }

  async ofClient(about: AboutClient): Promise<Facts> {
    const { peer, hello } = about.session;
    const found = await Promise.all(this.#client.map((source) => source.ofClient?.(about)));
    return Object.assign(
      {
        version: 1,
        client: { address: peer.address, helo: hello?.name ?? '' },
        reversePath: about.transaction.reversePath,
      } satisfies Facts,
      ...found,
    );
  }

  async ofRecipient(about: AboutRecipient): Promise<RecipientFacts> {
    const found = await Promise.all(this.#recipient.map((source) => source.ofRecipient?.(about)));
    // What is passed on is judged as the mail of whose it is.
    const recipient = about.recipient.forwardedBy ?? about.recipient.address;
    return Object.assign({ recipient } satisfies RecipientFacts, ...found);
  }

  /** With what was found before. */
  async ofMessage(about: AboutMessage): Promise<Facts> {
    const found = await Promise.all(this.#message.map((source) => source.ofMessage?.(about)));
    return Object.assign({ ...about.facts, sizeBytes: sizeOf(about) }, ...found);
  }
}

const sizeOf = ({ content }: AboutMessage): number =>
  content.kind === 'inline' ? content.bytes.length : content.sizeBytes;

/** What can be refused at RCPT: a policy that lets nobody in waits for nothing else. */
const envelopeFacts: ReadonlySet<FactName> = new Set([
  'client',
  'reversePath',
  'helo',
  'senderDomain',
  'earlyTalker',
  'dnsbl',
  'rhsbl',
  'iprev',
  'spf',
  'networkHistory',
  'greylist',
]);

/** It can be answered before the message is here. */
const isEarly = ({ when }: Check): boolean =>
  conditions[when.name].needs.every((name) => envelopeFacts.has(name));

/** Only those that may turn somebody away, or keep another check from it, before the message is here. */
const withEarlyChecks = (policy: Policy): Policy => ({
  ...policy,
  checks: policy.checks.filter(
    (check) => isEarly(check) && (check.then !== 'score' || policy.rejectAt !== undefined),
  ),
});

/** Whether a policy may turn a recipient away before the message is here. Where nobody is blocked, that check does not. */
export const mayRefuseEarly = (
  { checks, rejectAt }: Policy,
  { block }: Pick<SenderLists, 'block'>,
): boolean =>
  rejectAt !== undefined ||
  checks.some(
    (check) =>
      (check.then === 'reject' || check.then === 'greylist') &&
      isEarly(check) &&
      (check.when.name !== 'blocked' || block.length > 0),
  );

function factsNeeded(policies: readonly Policy[]): Set<FactName> {
  const needed = new Set<FactName>();
  for (const { when, then } of policies.flatMap(({ checks }) => checks)) {
    for (const name of conditions[when.name].needs) needed.add(name);
    if (then === 'greylist') needed.add('greylist');
  }
  return needed;
}

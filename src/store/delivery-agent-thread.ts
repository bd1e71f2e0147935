/**
 * The thread of the local delivery agent: small messages that come while one batch waits for the disk are the next batch,
 * the others are delivered each by itself. Its callers' side is delivery-agent.ts.
 */

import { type MessagePort, parentPort } from 'node:worker_threads';
import { turnstile } from '../util/turnstile.ts';
import {
  type AgentReply,
  type AgentRequest,
  createDirectAgent,
  type LocalDelivery,
  type Numbered,
} from './delivery-agent.ts';
import type { MaildirOutcome } from './maildir.ts';
import { deliverBatch } from './maildir-batch.ts';

/** Batches at once: one that is being written, and one that waits for the disk. */
const batchesAtOnce = 2;

/** Of the others: most are large, and more of them at once would hold more memory but make the disk no quicker. */
const aloneAtOnce = 8;

function serve(port: MessagePort): void {
  let waiting: Extract<AgentRequest, { batch: unknown }> = { batch: [], blocks: [] };
  let underWay = 0;
  const turns = turnstile(aloneAtOnce);

  async function deliverWaiting(): Promise<void> {
    if (underWay === batchesAtOnce || waiting.batch.length === 0) return;
    underWay += 1;
    const { batch, blocks } = waiting;
    waiting = { batch: [], blocks: [] };
    const outcomes = await deliverBatch(batch.map(([, delivery]) => delivery));
    const results = batch.map(([id], index): [number, MaildirOutcome] => [id, outcomes[index] ?? unknown]);
    port.postMessage({ results, blocks } satisfies AgentReply, blocks);
    underWay -= 1;
    await deliverWaiting();
  }

  async function deliverAlone([id, delivery]: Numbered<LocalDelivery>): Promise<void> {
    await turns.enter();
    try {
      const outcome = await direct.deliver(withBuffers(delivery));
      port.postMessage({ results: [[id, outcome]], blocks: [] } satisfies AgentReply);
    } finally {
      turns.leave();
    }
  }

  port.on('message', (request: AgentRequest) => {
    if ('alone' in request) return void deliverAlone(request.alone);
    waiting.batch.push(...request.batch);
    waiting.blocks.push(...request.blocks);
    void deliverWaiting();
  });
}

/** There is an outcome for each delivery of a batch; that there was none would be a bug, and the delivery is tried again. */
const unknown: MaildirOutcome = { kind: 'failed', text: 'the delivery ended without an outcome' };

const direct = createDirectAgent();

/** What was a Buffer has become a Uint8Array on its way between the threads. */
function withBuffers({ fields, content, ...rest }: LocalDelivery): LocalDelivery {
  const bytes = content.kind === 'inline' ? { bytes: Buffer.from(content.bytes) } : {};
  return { ...rest, fields: fields.map((octets) => Buffer.from(octets)), content: { ...content, ...bytes } };
}

if (parentPort !== null) serve(parentPort);

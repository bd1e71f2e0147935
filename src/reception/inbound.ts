/**
 * Mail from outside: for our own recipients only, unless the client's network is trusted. The road of a message here,
 * top to bottom: recipients → header as it came → loops → sender checks → the recipients' policies → trace fields → queue → 250.
 * RFC 5321; RFC 7208, 6376, 9989 for the checks; RFC 8601 for what is written of them.
 */

import { isDeliveryReport } from '../dsn/recognise.ts';
import { authorDomain } from '../mail/author-domain.ts';
import { type Header, parseHeader } from '../mail/header.ts';
import { isPositive, type Reply, reply } from '../smtp/reply.ts';
import type { Door, IncomingMessage, Session, Transaction } from './door.ts';
import { withoutForeignFields } from './foreign-fields.ts';
import { type Checked, examine, nothingFound } from './inbound/examine.ts';
import type { InboundParts, Received } from './inbound/received.ts';
import { refusalOf, refuse, refuseAtRcpt } from './inbound/refuse.ts';
import { takeIn } from './inbound/take-in.ts';
import { findLoop } from './loops.ts';
import { MessageCollector } from './message-collector.ts';
import { type Signing, startSigning } from './signing.ts';
import { refuseSuppressed } from './suppressed.ts';

export function inboundDoor(parts: InboundParts): Door {
  return {
    checkSender: () => undefined, // the null sender above all is welcome: it brings bounces
    refuseElsewhere: ({ trusted }, recipient) =>
      trusted ? refuseSuppressed(parts, recipient) : relayingDenied,
    refuseRecipient: (session, transaction, found) =>
      session.trusted ? undefined : refuseAtRcpt(parts, { session, transaction, ...found }),
    unknownRecipient: (session) => void (session.trusted || parts.judging.unknownRecipient(session)),
    openMessage: (session, transaction) => openMessage(parts, session, transaction),
    screen: parts.filters,
  };
}

const relayingDenied = reply(
  550,
  '5.7.1',
  'Relaying denied; to send as our user, authenticate on the submission port',
);

function openMessage(parts: InboundParts, session: Session, transaction: Transaction): IncomingMessage {
  let header: Header = parseHeader(Buffer.alloc(0));
  let signing: Signing | undefined;
  let domain: string | undefined;
  const collector = new MessageCollector({
    openSpool: () => parts.spool.begin(),
    inlineBytes: parts.inlineBytes,
    headerBytes: parts.headerBytes,
    editHeader(original) {
      header = parseHeader(original);
      if (session.trusted) domain = authorDomain(header);
      signing = startSigning(parts.signers, domain);
      return withoutForeignFields(header, original, parts.hostname);
    },
    onBody: (chunk) => signing?.onBody(chunk),
  });
  const accept = () => {
    const at = parts.clock.now();
    return receive(parts, { session, transaction, header, at, collector, signing, authorDomain: domain });
  };
  return { collector, accept };
}

async function receive(parts: InboundParts, received: Received): Promise<Reply> {
  const { transaction, header } = received;
  const { recipients } = transaction;
  const loop = findLoop(header, recipients);
  if (loop) return refuse(parts, received, { decision: { rule: 'mail loop', reply: loop } });
  const isReturn = recipients.some((recipient) => recipient.isReturn);
  if (isReturn && !isDeliveryReport(header.fields)) return refuse(parts, received, { decision: onlyReports });
  const content = await received.collector.finish();
  const isPlain = received.session.trusted && !parts.filters;
  const found = isPlain ? nothingFound : await examine(parts, received, content);
  if (found.checked) noteForReports(parts, received, found.checked);
  const refused = refusalOf(parts, received, found);
  const refusal = refused instanceof Promise ? await refused : refused;
  const answer = refusal
    ? await refuse(parts, received, refusal)
    : await takeIn(parts, received, { content, ...found });
  const judgment = found.checked?.judgment;
  // What a filter has refused was not refused for what the policies know.
  if (judgment && isPositive(answer) === (judgment.decision.reply === undefined))
    parts.judging.settled({ session: received.session, transaction, recipients, judgment, stage: 'message' });
  return answer;
}

/** What is not decided yet comes again, and is counted then. */
function noteForReports(
  { dmarcReports }: InboundParts,
  { transaction: { reversePath }, header }: Received,
  { verdicts, judgment: { decision } }: Checked,
): void {
  const outcome = decision.decision;
  if (outcome === 'accept' || outcome === 'junk' || outcome === 'reject')
    dmarcReports?.note({ verdicts, reversePath, header, outcome });
}

const onlyReports = {
  rule: 'not a report: such an address takes nothing else',
  reply: reply(
    550,
    '5.7.1',
    'This address takes delivery reports only (multipart/report; RFC 3464); write to the person',
  ),
};

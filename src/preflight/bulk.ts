/**
 * Holds a message against the published rules of its receiver: what it breaks, and whether the rule is for us. How many
 * recipients a day we have there is counted from the dossiers; below a rule's number it is told all the same, as a notice.
 */

import { type Attachments, attachmentsOf } from '../mail/attachments.ts';
import { fieldValue, findFields } from '../mail/header.ts';
import type { Seen } from './authentication.ts';
import type { Finding } from './finding.ts';
import type { Letter } from './letter.ts';
import type { Receiver } from './receiver.ts';
import {
  type Demand,
  gmailBlocked,
  gmailMessageOctets,
  type KnownReceiver,
  knownReceivers,
  type ReceiverRule,
} from './receiver-rules.ts';

export interface Evidence {
  letter: Letter;
  seen: readonly Seen[];
  receiver: Receiver;
  /** Recipients at this receiver within the last day; undefined where nobody has counted. */
  sentToday?: number | undefined;
}

/** Nothing for a receiver that has published nothing. */
export function ruleFindings(evidence: Evidence): Finding[] {
  const known = knownReceivers.find(({ site }) => site === evidence.receiver.site);
  if (known === undefined) return [];
  const broken = known.rules.flatMap((rule) => {
    const fact = breaks[rule.demand](evidence);
    return fact === undefined ? [] : [findingOf(known, rule, { ...evidence, fact })];
  });
  return [...broken, rateFinding(known, evidence), unmeasured(known)];
}

function findingOf(
  { name }: KnownReceiver,
  { demand, fromPerDay, forBulk, reply, text, source, since }: ReceiverRule,
  { fact, sentToday, letter }: Evidence & { fact: string },
): Finding {
  const isForUs = fromPerDay === undefined || (sentToday ?? 0) >= fromPerDay;
  const isMeant = !forBulk || isBulk(letter);
  const limit =
    fromPerDay === undefined ? '' : ` It holds for who sends ${fromPerDay} messages and more in a day.`;
  return {
    id: `rule-${demand.toLowerCase().replaceAll(' ', '-')}`,
    about: 'bulk',
    severity: isForUs && isMeant ? 'error' : isMeant ? 'warning' : 'notice',
    fact: `${fact}${limit}`,
    rule: {
      text: `${name}: ${text}${reply === undefined ? '' : ` (its reply: ${reply})`}`,
      source,
      ...(since !== undefined && { since }),
    },
    remedy: remedies[demand],
  };
}

/** What breaks a demand, as a fact; undefined where it is met, or nothing can be said. */
const breaks: Record<Demand, (evidence: Evidence) => string | undefined> = {
  'SPF or DKIM': ({ seen }) =>
    somewhere(seen, (each) => !passes.spf(each) && !passes.dkim(each), 'Neither SPF nor DKIM passes'),
  'SPF and DKIM': ({ seen }) =>
    somewhere(seen, (each) => !passes.spf(each), 'SPF does not pass') ??
    somewhere(seen, (each) => !passes.dkim(each), 'DKIM does not pass'),
  'DMARC aligned': ({ seen }) =>
    somewhere(seen, ({ verdicts: { dmarc } }) => dmarc.result !== 'pass', 'DMARC does not pass'),
  'reverse DNS': ({ seen }) =>
    somewhere(
      seen,
      ({ verdicts: { iprev } }) => iprev.result !== 'pass',
      'The reverse name is missing or does not lead back',
    ),
  TLS: ({ receiver }) =>
    receiver.encrypted === false ? 'The receiver was spoken to without TLS.' : undefined,
  'not as the receiver': ({ letter: { authorDomain } }) =>
    authorDomain === 'gmail.com' || authorDomain === 'googlemail.com'
      ? `From is of ${authorDomain}, which we are not.`
      : undefined,
  size: ({ letter: { sent } }) =>
    sent.length > gmailMessageOctets ? `It has ${sent.length} octets as it is sent.` : undefined,
  attachments: ({ letter }) => blockedText(attachmentsOf(letter.sent)),
  'one-click unsubscribe': ({ letter }) => missingOneClick(letter),
};

const passes = {
  spf: ({ verdicts: { spf } }: Seen) => spf.result === 'pass',
  dkim: ({ verdicts: { dkim } }: Seen) => dkim.some(({ result }) => result === 'pass'),
};

function somewhere(
  seen: readonly Seen[],
  isBroken: (each: Seen) => boolean,
  text: string,
): string | undefined {
  const places = seen.filter(isBroken).map(({ from }) => from.publicAddress);
  return places.length === 0 ? undefined : `${text} from ${places.join(', ')}.`;
}

function blockedText({ names, extensions }: Attachments): string | undefined {
  const blocked = extensions.filter((extension) => gmailBlocked.has(extension));
  if (blocked.length === 0) return undefined;
  const named = names.filter((name) =>
    blocked.some((extension) => name.toLowerCase().endsWith(`.${extension}`)),
  );
  return `It has attached ${named.slice(0, 5).join(', ') || blocked.join(', ')}.`;
}

/** RFC 8058 §3.1: an https address, the field that makes it one click, and a signature that covers both. */
function missingOneClick({ draft: { header }, sent, isSigned }: Letter): string | undefined {
  const textOf = (name: string) => findFields(header.fields, name).map(fieldValue).join(', ');
  const links = textOf('list-unsubscribe');
  if (links === '') return 'There is no List-Unsubscribe.';
  if (!/<https:\/\/[^>]+>/i.test(links)) return 'List-Unsubscribe names no https address.';
  if (!/^List-Unsubscribe=One-Click$/i.test(textOf('list-unsubscribe-post').replaceAll(/\s/g, '')))
    return 'There is no List-Unsubscribe-Post: List-Unsubscribe=One-Click.';
  const signature = isSigned ? sent.subarray(0, 4096).toString('latin1') : '';
  return /\bh=[^;]*list-unsubscribe-post/i.test(signature.replaceAll(/\s/g, ''))
    ? undefined
    : 'No signature covers List-Unsubscribe and List-Unsubscribe-Post.';
}

/** It says so itself. */
function isBulk({ draft: { header } }: Letter): boolean {
  const has = (name: string) => findFields(header.fields, name).length > 0;
  const precedence = findFields(header.fields, 'precedence').map(fieldValue).join();
  return has('list-id') || has('list-unsubscribe') || has('feedback-id') || /bulk|list/i.test(precedence);
}

const remedies: Record<Demand, string> = {
  'SPF or DKIM': 'Mend SPF and DKIM: the findings above say how.',
  'SPF and DKIM': 'Mend what does not pass: the findings above say how.',
  'DMARC aligned': 'Publish a DMARC record, and sign with a key of the domain in From.',
  'reverse DNS': 'Ask whoever gives you the address to enter the reverse name.',
  TLS: 'See what is between: a firewall that takes STARTTLS away is the usual reason.',
  'not as the receiver': 'Write From as a domain of yours, and put the other address into Reply-To.',
  size: 'Send a link.',
  attachments: 'Send a link, or another kind of file: archives are looked into.',
  'one-click unsubscribe':
    'Add List-Unsubscribe: <https://…> and List-Unsubscribe-Post: List-Unsubscribe=One-Click; both are signed then.',
};

function rateFinding({ name }: KnownReceiver, { sentToday }: Evidence): Finding {
  const about = 'bulk';
  if (sentToday === undefined)
    return {
      ...{ id: 'rate-unknown', about, severity: 'notice' },
      fact: `How much was sent to ${name} within the last day is not known: there is no server that could tell.`,
    };
  return {
    ...{ id: 'rate', about, severity: 'good' },
    fact: `${sentToday} ${sentToday === 1 ? 'message was' : 'messages were'} delivered to ${name} within the last day.`,
  };
}

const unmeasured = ({ unmeasured: fact }: KnownReceiver): Finding => ({
  ...{ id: 'not-measured', about: 'bulk', severity: 'notice' },
  fact,
});

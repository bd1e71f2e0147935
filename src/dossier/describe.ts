/** One event of a dossier in plain language: what happened, and why. Decides nothing, looks nothing up. */

import { never } from '../store/never.ts';
import { describeChecked, describeFiltered, describeJudged, describeRefused } from './describe-judgement.ts';
import { describeOrder } from './describe-order.ts';
import type { DossierEvent, EventOf } from './event.ts';
import type { Step } from './step.ts';
import { protectionOf } from './tls-words.ts';
import {
  clientOf,
  momentOf,
  pathOf,
  pathsOf,
  placeOf,
  plural,
  reasonForTransport,
  sizeOf,
  tlsOf,
  why,
  withDialogue,
} from './words.ts';

export function describe(event: DossierEvent): Step {
  switch (event.event) {
    case 'accepted':
      return describeAccepted(event);
    case 'refused':
      return describeRefused(event);
    case 'repeated':
      return plain('Handed in once more, and not sent twice', [
        `client: ${clientOf(event.data.client)}`,
        why('the connection broke before our answer was sure to have arrived, and this was the same message'),
      ]);
    case 'checked':
      return describeChecked(event);
    case 'judged':
      return describeJudged(event);
    case 'filtered':
      return describeFiltered(event);
    case 'signed':
      return describeSigned(event);
    case 'redirected':
      return plain(`Recipient <${event.data.from}> means <${event.recipient ?? '?'}>`, [
        why(event.data.rule),
      ]);
    case 'routed':
      return describeRouted(event);
    case 'attempted':
      return describeAttempted(event);
    case 'ran':
      return describeRan(event);
    case 'delivered':
      return describeDelivered(event);
    case 'deferred':
      return describeDeferred(event);
    case 'failed':
      return describeFailed(event);
    case 'inDoubt':
      return describeInDoubt(event);
    case 'reported':
      return describeReported(event);
    case 'tlsReported':
    case 'dmarcReported':
      return describeDayReport(event);
    case 'suppressed':
      return describeSuppressed(event);
    case 'held':
    case 'released':
    case 'retried':
    case 'readdressed':
    case 'dropped':
    case 'suspended':
    case 'resumed':
    case 'unsuppressed':
      return describeOrder(event);
  }
}

const plain = (title: string, details: string[]): Step => ({ title, details, mood: 'plain' });

function describeAccepted({ data }: EventOf<'accepted'>): Step {
  const doors = {
    smtp: 'Accepted from outside',
    submission: `Accepted from our user ${data.account ?? '(a trusted network)'}`,
    lmtp: 'Accepted from the server in front of us',
    control: 'Accepted from the command line of this machine',
    internal: 'Written by this server itself',
  };
  const { client, tls, messageId, asked, dialogue } = data;
  const details = [
    ...(client === undefined ? [] : [`client: ${clientOf(client)}`]),
    ...(client === undefined ? [] : [tls === undefined ? 'not encrypted' : tlsOf(tls)]),
    ...(data.appPassword === undefined ? [] : [`logged in by the app password "${data.appPassword}"`]),
    `from ${pathOf(data.from)} to ${pathsOf(data.to)}, ${sizeOf(data.sizeBytes)}`,
    ...(messageId === undefined ? [] : [`Message-ID: ${messageId}`]),
    ...askedLines(asked),
    'on disk before it was acknowledged',
  ];
  return { ...withDialogue(dialogue), title: doors[data.via], details, mood: 'plain' };
}

/** What the sender has asked for of when. */
function askedLines({ releaseAt, deliverBy, priority }: EventOf<'accepted'>['data']['asked'] = {}): string[] {
  const lines: string[] = [];
  if (releaseAt !== undefined) lines.push(`held until ${utc(releaseAt)}, as its sender asks (FUTURERELEASE)`);
  if (deliverBy !== undefined) {
    const { at, mode, trace } = deliverBy;
    const end = mode === 'R' ? 'or returned' : 'or its sender is told that it is late';
    const traced = trace ? '; the sender wants to hear where it is passed on' : '';
    lines.push(`to be delivered by ${utc(at)}, ${end} (DELIVERBY)${traced}`);
  }
  if (priority !== undefined) lines.push(`priority ${priority} among its sender's mail (MT-PRIORITY)`);
  return lines;
}

const utc = (at: number): string => `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

function describeSigned({ data: { domain, selector, algorithm, also = [] } }: EventOf<'signed'>): Step {
  const keys = [{ selector, algorithm }, ...also];
  return plain(
    `Signed with DKIM for ${domain}`,
    keys.map(
      (key) => `${key.algorithm}; receivers find the public key at ${key.selector}._domainkey.${domain}`,
    ),
  );
}

function describeRouted({ data }: EventOf<'routed'>): Step {
  const { domain, answers, hosts, durationMs, rule, transport, tls = [] } = data;
  const chosen =
    transport === undefined ? [] : [`transport: ${transport.name}`, why(reasonForTransport(transport))];
  if (transport?.name.startsWith('pipe ')) return plain(`Mail for ${domain} goes to a program`, chosen);
  const order = hosts.map((host, index) => `${index + 1}. ${host}`).join('  ');
  const title = hosts.length === 0 ? `No route to ${domain}` : `Route to ${domain} found in ${durationMs} ms`;
  return plain(title, [
    ...chosen,
    ...answers.map((answer) => `DNS: ${answer}`),
    ...(rule === undefined ? [] : [why(rule)]),
    hosts.length === 0 ? 'no host to try' : `to be tried in this order: ${order}`,
    ...tls.map((note) => `TLS: ${note}`),
  ]);
}

function describeAttempted({ data }: EventOf<'attempted'>): Step {
  const { endpoint, outran = [], sourceRule, reused, dialogue, error, moved, converted } = data;
  return {
    title: error === undefined ? `Spoke with ${placeOf(endpoint)}` : `Tried ${placeOf(endpoint)}: ${error}`,
    details: [
      ...protectionOf(data),
      ...(endpoint.source === undefined ? [] : [`from our address ${endpoint.source}`]),
      ...(sourceRule === undefined ? [] : [why(sourceRule)]),
      ...outran.map((address) => `it answered before [${address}], which was tried at the same time`),
      ...(converted === undefined ? [] : [converted]),
      ...(reused ? ['on a connection that carried mail before'] : []),
      ...(moved === undefined
        ? []
        : [`refused for our address, so the same message goes over IPv4 now: ${moved}`]),
    ],
    mood: error === undefined ? 'plain' : 'waiting',
    ...withDialogue(dialogue),
  };
}

/** Arguments in quotes where their ends would not be seen. */
function describeRan({ data: { command, end, durationMs } }: EventOf<'ran'>): Step {
  const words = command.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word)));
  return plain(`Ran ${words[0] ?? ''} for ${durationMs} ms: ${end}`, [`command: ${words.join(' ')}`]);
}

function describeDelivered({ data }: EventOf<'delivered'>): Step {
  const { endpoint, folder, file, program, reply } = data;
  const here = program === undefined ? `here, into ${folder ?? 'Inbox'}` : `to ${program}`;
  const title = `Delivered ${endpoint === undefined ? here : `to ${endpoint.host}`}`;
  const details = [...(reply === undefined ? [] : [reply]), ...(file === undefined ? [] : [`file: ${file}`])];
  return { title, details, mood: 'good' };
}

function describeDeferred({ at, data }: EventOf<'deferred'>): Step {
  const { reason, status, phase, rule, attempts, nextAttemptAt, endpoint } = data;
  const next =
    nextAttemptAt === undefined
      ? 'nobody will try again'
      : nextAttemptAt >= never
        ? 'next attempt: when that ends'
        : `next attempt: ${momentOf(nextAttemptAt, at)}`;
  return {
    title: `Deferred: ${reason}`,
    details: [
      `while ${phase}${endpoint === undefined ? '' : ` at ${placeOf(endpoint)}`}; status ${status}`,
      why(rule),
      `${next}, ${attempts === 0 ? 'not tried so far' : `after ${plural(attempts, 'attempt')} so far`}`,
    ],
    mood: 'waiting',
  };
}

function describeInDoubt({ at, data }: EventOf<'inDoubt'>): Step {
  const { rule, reason, status, phase, endpoint, lostReplies, nextAttemptAt } = data;
  const place = endpoint === undefined ? '' : ` at ${placeOf(endpoint)}`;
  return {
    title: `In doubt: ${reason ?? 'the server stopped in the middle of an attempt'}`,
    details: [
      ...(phase === undefined ? [] : [`while ${phase}${place}; status ${status}`]),
      why(rule),
      ...(lostReplies === undefined
        ? []
        : [`${plural(lostReplies, 'attempt')} ended without a clear answer`]),
      ...(nextAttemptAt === undefined ? [] : [`next attempt: ${momentOf(nextAttemptAt, at)}`]),
    ],
    mood: 'waiting',
  };
}

function describeFailed({ data: { reason, status, phase, rule, endpoint, by } }: EventOf<'failed'>): Step {
  const details = [
    `while ${phase}${endpoint === undefined ? '' : ` at ${placeOf(endpoint)}`}; status ${status}`,
    why(by === undefined ? rule : `${rule}: ${by}`),
  ];
  return { title: `Failed for good: ${reason}`, details, mood: 'bad' };
}

function describeSuppressed({ at, recipient, data }: EventOf<'suppressed'>): Step {
  const { to, by, reason, failures = 0, until } = data;
  const cause =
    by === undefined
      ? `its server has said ${plural(failures, 'time')} that nobody has this address`
      : `${by} stopped it${reason === undefined ? '' : `: ${reason}`}`;
  return plain(`Mail of our users to <${recipient ?? to ?? '?'}> is refused from now on`, [
    why(cause),
    `until ${momentOf(until, at)}; posthorn suppression remove ends it`,
  ]);
}

function describeReported({ data: { to, kind, report, rule } }: EventOf<'reported'>): Step {
  const title =
    kind === 'postmaster' ? `The postmaster <${to}> was told` : `The sender <${to}> was told of the ${kind}`;
  const untold = rule === undefined ? [] : [`the sender was not told: ${rule}`];
  return plain(title, [...untold, `by message ${report}: posthorn trace ${report}`]);
}

function describeDayReport({ event, data }: EventOf<'tlsReported' | 'dmarcReported'>): Step {
  const { domain, day, uri, problem } = data;
  const [kind, counted] =
    event === 'tlsReported'
      ? ['TLS', `connections: ${data.successes} as they should be, ${data.failures} not`]
      : ['DMARC', `messages in its name: ${data.messages}`];
  const details = [`to ${uri}`, counted];
  const what = `${kind} report on ${domain} for ${day}`;
  if (problem === undefined) return { title: `${what} sent`, details, mood: 'good' };
  return { title: `${what} given up`, details: [...details, why(problem)], mood: 'bad' };
}

/** A scenario as people write it, in TOML: read with the same words about what is wrong as the configuration. */

import { resolve } from 'node:path';
import * as v from 'valibot';
import type { Finding } from '../config/draft.ts';
import { type KnownKeys, toFindings } from '../config/issues.ts';
import * as kinds from '../config/kinds.ts';
import { ConfigError } from '../config/problem.ts';
import { deliveryShape, siteShape } from '../config/sending.ts';
import { parseToml, readTomlFile, toProblems } from '../config/toml-file.ts';
import * as values from '../config/values.ts';
import { type Reply, reply } from '../smtp/reply.ts';
import type { ReceiverPhase, ReceiverScript, Scenario } from './scenario.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** Messages of a scenario: each is an object in memory, some 300 octets. */
export const maxMessages = 2_000_000;

const minutes = (least = 0) => kinds.count(least, 525_600, 'minutes');

const phaseShape = {
  fromMinutes: v.optional(minutes(), 0),
  minutes: minutes(1),
  reply: v.exactOptional(smtpReply()),
  down: v.exactOptional(kinds.oneOf('refused', 'silent')),
  latencyMs: v.exactOptional(kinds.count(1, 600_000, 'milliseconds')),
};

const receiverShape = {
  domain: values.domainName(),
  mx: v.optional(kinds.list(values.hostEnding(), '["google.com"]'), []),
  queued: v.optional(kinds.count(0, maxMessages, 'messages'), 0),
  perMinute: v.optional(kinds.count(0, 100_000, 'messages'), 0),
  arrivalsMinutes: v.exactOptional(minutes(1)),
  senders: v.optional(kinds.count(1, 100_000, 'senders'), 1),
  latencyMs: v.optional(kinds.count(1, 600_000, 'milliseconds'), 500),
  connections: v.exactOptional(kinds.count(1, 10_000, 'connections')),
  messagesPerMinute: v.exactOptional(kinds.count(1, 100_000, 'messages')),
  greylistMinutes: v.optional(minutes(), 0),
  phase: v.optional(v.array(kinds.table(phaseShape)), []),
};

const { concurrency, connectionsPerSite, permanentFailures } = deliveryShape('');
const { retryMinutes, lifetimeHours, delayWarningHours, doubtMinutes } = deliveryShape('');
const ownDeliveryShape = {
  concurrency,
  connectionsPerSite,
  permanentFailures,
  retryMinutes,
  lifetimeHours,
  delayWarningHours,
  doubtMinutes,
};

const fileShape = {
  seed: v.optional(kinds.count(0, 2 ** 31, 'a seed'), 1),
  hours: v.optional(kinds.count(1, 8760, 'hours'), 168),
  delivery: v.optional(kinds.table(ownDeliveryShape), {}),
  site: v.optional(v.array(kinds.table(siteShape)), []),
  receiver: v.optional(v.array(kinds.table(receiverShape)), []),
};

const keys: KnownKeys = new Map([
  ['', Object.keys(fileShape)],
  ['delivery', Object.keys(ownDeliveryShape)],
  ['site', Object.keys(siteShape)],
  ['receiver', Object.keys(receiverShape)],
  ['receiver.phase', Object.keys(phaseShape)],
]);

const fileSchema = kinds.table(fileShape);
type FileContent = v.InferOutput<typeof fileSchema>;
type ReceiverContent = FileContent['receiver'][number];
type PhaseContent = ReceiverContent['phase'][number];

/** Rejects with a ConfigError that holds every problem. */
export async function loadScenario(file: string): Promise<Scenario> {
  const absolute = resolve(file);
  return parseScenario(await readTomlFile(absolute, 'Name another file with --scenario.'), absolute);
}

/** The same for a text. Throws a ConfigError. */
export function parseScenario(toml: string, file: string): Scenario {
  const result = v.safeParse(fileSchema, parseToml(toml, file));
  const findings = result.success ? checkAll(result.output) : toFindings(result.issues, keys);
  if (!result.success || findings.length > 0) throw new ConfigError(toProblems(findings, toml, file));
  return toScenario(result.output);
}

function checkAll(content: FileContent): Finding[] {
  const { receiver } = content;
  if (receiver.length === 0)
    return [{ path: [], what: 'there is no receiver', remedy: 'Add a [[receiver]] with its domain.' }];
  const messages = toScenario(content).receivers.reduce(
    (sum, { queued, perMinute, arrivalsMs }) => sum + queued + (perMinute * arrivalsMs) / minuteMs,
    0,
  );
  const tooMany: Finding = {
    path: ['receiver'],
    what: `${Math.round(messages)} messages are more than ${maxMessages}`,
    remedy: 'Give smaller numbers for queued and perMinute, or end the arrivals with arrivalsMinutes.',
  };
  return [
    ...receiver.flatMap(({ phase }, index) =>
      phase.flatMap((each, number) => checkPhase(each, ['receiver', index, 'phase', number])),
    ),
    ...(messages > maxMessages ? [tooMany] : []),
  ];
}

function checkPhase({ reply, down, latencyMs }: PhaseContent, path: readonly (string | number)[]): Finding[] {
  if ([reply, down, latencyMs].filter((each) => each !== undefined).length === 1) return [];
  const what = 'a phase does one thing';
  return [
    {
      path,
      what,
      remedy: 'Give reply = "421 4.7.0 Try again later", or down = "refused", or latencyMs = 5000.',
    },
  ];
}

function toScenario({ seed, hours, delivery, site, receiver }: FileContent): Scenario {
  const lengthMs = hours * hourMs;
  return {
    seed,
    lengthMs,
    delivery,
    sites: site,
    receivers: receiver.map((each) => toReceiver(each, lengthMs)),
  };
}

function toReceiver(content: ReceiverContent, lengthMs: number): ReceiverScript {
  const { mx, arrivalsMinutes, greylistMinutes, phase, ...rest } = content;
  return {
    ...rest,
    mx: mx.length > 0 ? mx : [`mx.${content.domain}`],
    arrivalsMs: arrivalsMinutes === undefined ? lengthMs : arrivalsMinutes * minuteMs,
    greylistMs: greylistMinutes * minuteMs,
    phases: phase.map(toPhase),
  };
}

function toPhase({ fromMinutes, minutes, reply, down, latencyMs = 1 }: PhaseContent): ReceiverPhase {
  const fromMs = fromMinutes * minuteMs;
  const does = reply ?? (down === undefined ? { latencyMs } : down === 'refused' ? 'refuses' : 'silent');
  return { fromMs, untilMs: fromMs + minutes * minuteMs, does };
}

/** A reply to a recipient as it goes over the wire, on one line. */
function smtpReply() {
  const remedy = 'Write it as the receiver does: "421 4.7.0 Try again later"; codes are 250, and 400 to 599.';
  return kinds.text('an SMTP reply', remedy, (input): Reply | undefined => {
    const [, code, enhanced = '', words] =
      /^(250|[45]\d\d) (?:([245]\.\d{1,3}\.\d{1,3}) )?([\x20-\x7e]+)$/.exec(input) ?? [];
    return words === undefined ? undefined : reply(Number(code), enhanced, words);
  });
}

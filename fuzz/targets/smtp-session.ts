/** The answering side of SMTP, with a policy double that says yes, no, later and goodbye, as the paths fall. */

import { type Reply, reply } from '../../src/smtp/reply.ts';
import { SmtpSession } from '../../src/smtp/session.ts';
import type { SmtpEvent, SmtpSessionOptions } from '../../src/smtp/session-options.ts';
import { DotStuffer } from '../../src/util/dot-stuffing.ts';
import { transcriptSeeds } from '../corpus.ts';
import { smtpSession } from '../grammar/smtp.ts';
import { byteByByte, whole } from '../packets.ts';
import { play, playEveryWay, type Stage } from '../play-machine.ts';
import { between, demand, type Target } from './target.ts';

const common = { hostname: 'mx.example.net', now: () => 0, recipients: 5 };

/** Mail from outside: STARTTLS, no AUTH, small limits that are reached. */
const outside: SmtpSessionOptions = {
  ...common,
  startTls: true,
  auth: [],
  bareNewline: 'reject',
  messageBytes: 4096,
  commands: 200,
};

/** Submission over implicit TLS: AUTH, bare newlines made right, room for the long runs. */
const submission: SmtpSessionOptions = {
  ...common,
  startTls: false,
  tls: { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' },
  auth: ['SCRAM-SHA-256', 'PLAIN', 'LOGIN'],
  scheduling: { holdSeconds: 1000 },
  bareNewline: 'normalize',
  messageBytes: 4 * 2 ** 20,
  commands: 10_000,
};

/** A server in front: LHLO, and an answer for each recipient. */
const lmtp: SmtpSessionOptions = { ...outside, lmtp: true };

const answers: readonly (Reply | undefined)[] = [
  undefined,
  undefined,
  undefined,
  reply(250, '2.1.0', 'fine'),
  reply(550, '5.1.1', 'no'),
  reply(451, '4.3.0', 'later'),
  reply(421, '4.3.2', 'goodbye'),
];

/** The same answer to the same text, whoever asks. */
const answerTo = (text: string): Reply | undefined =>
  answers[[...text].reduce((sum, character) => sum + character.charCodeAt(0), 0) % answers.length];

interface Received {
  sizeBytes: number;
  taken: boolean;
  content: string;
}

/** `check` looks at each message that could be taken. */
function stage(
  options: SmtpSessionOptions,
  check: (content: Buffer, sizeBytes: number) => void = () => undefined,
): Stage<SmtpEvent, Reply | undefined> {
  const machine = new SmtpSession(options);
  const messages: Received[] = [];
  let chunks: Buffer[] = [];

  function decide(event: SmtpEvent): Reply | undefined {
    switch (event.type) {
      case 'authenticate':
        if (!('password' in event.claim)) return event.claim.begins ? reply(334, '', 'YWJj') : undefined;
        return event.claim.password === 'secret' ? reply(235, '2.7.0', 'welcome') : undefined;
      case 'mail':
      case 'recipient':
        return answerTo(event.path);
      case 'data':
        chunks = [];
        return undefined;
      case 'chunk':
        chunks.push(event.bytes);
        return undefined;
      case 'message':
        return finish(event);
      default:
        return undefined;
    }
  }

  function finish({ sizeBytes, fault }: SmtpEvent & { type: 'message' }): Reply | undefined {
    const content = fault ? Buffer.alloc(0) : Buffer.concat(chunks);
    if (!fault) check(content, sizeBytes);
    messages.push({ sizeBytes, taken: fault === undefined, content: content.toString('latin1') });
    return fault ? undefined : answerTo(String(sizeBytes));
  }

  return { machine, decide, outcome: () => ({ messages, dialogue: machine.dialogue.excerpt() }) };
}

/** A message that is taken has the octets that were counted, and sent on it ends nowhere but at its end. */
function checkContent(content: Buffer, sizeBytes: number): void {
  demand(content.length === sizeBytes, `${sizeBytes} octets are told, ${content.length} came`);
  demand(!/\r(?!\n)|(?<!\r)\n/.test(content.toString('latin1')), 'a bare CR or LF is taken');
  const stuffer = new DotStuffer();
  const wire = Buffer.concat([stuffer.push(content), stuffer.end()]);
  demand(wire.indexOf('\r\n.\r\n') >= wire.length - 5, 'the message ends before its end when it is sent on');
}

const replyLine = /^[2345]\d\d[ -][\x20-\x7e\x80-\xff]*$/;

function checkReplies(output: string): void {
  const lines = output.split('\r\n');
  demand(lines.pop() === '', 'the last reply has no line end');
  const wrong = lines.find((line) => line !== '(TLS)' && !replyLine.test(line));
  demand(wrong === undefined, `not a reply: ${wrong}`);
}

function target(name: string, options: SmtpSessionOptions, folder: string): Target {
  const start = () => stage(options);
  const opening = 'EHLO c.example\r\n';
  const addressed = `${opening}MAIL FROM:<>\r\nRCPT TO:<c@b>\r\n`;
  return {
    name,
    seeds: () => transcriptSeeds(`src/smtp/transcripts/${folder}`),
    generate: smtpSession,
    read: (input) => play(start(), [input], whole),
    check: (input) => checkReplies(playEveryWay(() => stage(options, checkContent), input).output),
    trickle: (input) => play(start(), [input], byteByByte),
    places: [
      between('EHLO '),
      between(`${opening}MAIL FROM:<`),
      between(`${opening}MAIL FROM:<> `),
      between(`${opening}AUTH LOGIN\r\n`),
      between(`${opening}AUTH SCRAM-SHA-256 `),
      between(`${addressed}DATA\r\n`, '\r\n.\r\n'),
      between(`${addressed}BDAT 1048576 LAST\r\n`),
    ],
  };
}

export const smtpOutside = target('smtp-outside', outside, 'outside');
export const smtpLmtp = target('smtp-lmtp', lmtp, 'lmtp');
export const smtpSubmission = target('smtp-submission', submission, 'submission');

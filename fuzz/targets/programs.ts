/** What programs of this machine hand in: the command line and the standard input of sendmail, and files in the maildrop. */

import { parseArguments, UsageError } from '../../src/cli/sendmail/arguments.ts';
import { MessageError, readMessage } from '../../src/cli/sendmail/message.ts';
import { parseHeader } from '../../src/mail/header.ts';
import { withCrlf } from '../../src/mail/line-ends.ts';
import { authorsOf } from '../../src/reception/maildrop/permit.ts';
import { qualifyFields } from '../../src/reception/maildrop/qualify.ts';
import { transcriptSeeds } from '../corpus.ts';
import { message } from '../grammar/messages.ts';
import { between, demand, type Target } from './target.ts';

/** What is wrong is told in a sentence. */
function orTold<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof MessageError || error instanceof UsageError)) throw error;
    demand(error.message.length < 1000, 'an error that is told at length');
    return undefined;
  }
}

const read = (input: Buffer) => orTold(() => readMessage(input, { ignoreDots: false, fromHeader: true }));

function check(input: Buffer): void {
  const found = read(input);
  if (found === undefined) return;
  const text = found.message.toString('latin1');
  demand(!/\r(?!\n)|(?<!\r)\n|\0/.test(text), 'a bare CR, LF or a NUL is sent');
  const { malformed, fields } = parseHeader(found.message);
  demand(
    fields.length === 0 || malformed === undefined || read(found.message) !== undefined,
    'it is no message any more',
  );
  const qualified = qualifyFields(withCrlf(found.message), 'example.org');
  authorsOf(qualified);
  const again = qualifyFields(qualified, 'example.org');
  demand(again.equals(qualified), 'an address is completed twice');
}

const letters = [
  'To: ann\nSubject: hi\n\nbody\n.\nmore\n',
  'From root Sat Nov 28\nBcc: ann, bob@example.com\n\n',
  'no header\n',
  'Subject: ü\nTo: a@b.example,\n c\n\nx\n',
];

const sendmailInput: Target = {
  name: 'sendmail-input',
  seeds: () => [
    ...letters.map((text) => Buffer.from(text)),
    ...transcriptSeeds('src/smtp/transcripts/submission').slice(0, 4),
  ],
  generate: (random) => Buffer.from(message(random), 'latin1'),
  read,
  check,
  longestRunBytes: 2 ** 18,
  places: [
    between('To: ', '\n\nx'),
    between('Subject: x', '\n\nx'),
    between('Subject: x\n\n'),
    between('From ', '\nTo: a\n\n'),
  ],
};

const sendmailArguments: Target = {
  name: 'sendmail-arguments',
  seeds: () =>
    [
      '-t\n-i',
      '-oi\n-f\na@example.org\n--\nb@example.org',
      '-FAnn\n-bm\nann',
      '-bs',
      '-N\nnever\n-em\n-ti',
    ].map((text) => Buffer.from(text)),
  read: (input) => orTold(() => parseArguments(input.toString('utf8').split('\n'))),
  places: [between('-'), between('-o'), between('-f\n')],
};

export const programs: readonly Target[] = [sendmailInput, sendmailArguments];

/** The control socket: frames from commands, requests in them, and the answers that a command reads. */

import * as v from 'valibot';
import type { Admin } from '../../src/admin/admin.ts';
import { AdminError } from '../../src/admin/admin-error.ts';
import { answerSchema, isOperation, operations, requestSchema } from '../../src/admin/control-protocol.ts';
import { encodeFrame, type Frame, FrameError, readFrames } from '../../src/admin/frames.ts';
import { byteByByte, type Cut, cuts, whole } from '../packets.ts';
import type { Random } from '../random.ts';
import { between, demandSame, type Target } from './target.ts';

const limits = { lineBytes: 4 * 2 ** 20, contentBytes: 2 ** 20 };

/** Does everything it is asked for, which is nothing. */
const nobody = async (): Promise<never> => {
  throw new AdminError('refused', 'done');
};
const admin: Admin = {
  addAccount: nobody,
  handIn: nobody,
  heardRefusals: nobody,
  reload: nobody,
  whoRuns: nobody,
  handOver: nobody,
  lookAtSources: nobody,
  listBans: nobody,
  tlsStatus: nobody,
  renewCertificates: nobody,
  rolloverKey: nobody,
  revokeCertificate: nobody,
  listBraked: nobody,
  releaseAccount: nobody,
  addBan: nobody,
  beginSnapshot: nobody,
  renewSnapshot: nobody,
  endSnapshot: nobody,
  liftBan: nobody,
  listReports: nobody,
  dmarcSummary: nobody,
  importAccounts: nobody,
  listAccounts: nobody,
  setPassword: nobody,
  listJudged: nobody,
  changeSettings: nobody,
  removeAccount: nobody,
  suspendAccount: nobody,
  resumeAccount: nobody,
  restoreAccount: nobody,
  listRemovedAccounts: nobody,
  addAppPassword: nobody,
  listAppPasswords: nobody,
  removeAppPassword: nobody,
  changeSenderList: nobody,
  listGreylist: nobody,
  allowGreylist: nobody,
  removeGreylist: nobody,
  listSenders: nobody,
  findSender: nobody,
  forgetSender: nobody,
  setAlias: nobody,
  removeAlias: nobody,
  listAliases: nobody,
  trace: nobody,
  listReceivers: nobody,
  countDelivered: nobody,
  resetReceivers: nobody,
  listQueue: nobody,
  outlook: nobody,
  countQueue: nobody,
  orderQueue: nobody,
  suspend: nobody,
  resume: nobody,
  listSuspensions: nobody,
  listSuppressions: nobody,
  findSuppression: nobody,
  addSuppression: nobody,
  removeSuppression: nobody,
  send: nobody,
  checkAddress: nobody,
  close: nobody,
};

async function* stream(pieces: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* pieces;
}

/** The frames before the first octets that are none, and what was said about those. */
async function framesIn(input: Buffer, cut: Cut): Promise<{ frames: Frame[]; error: string }> {
  const frames: Frame[] = [];
  try {
    for await (const frame of readFrames(stream(cut(input)), limits)) frames.push(frame);
    return { frames, error: '' };
  } catch (error) {
    if (error instanceof FrameError) return { frames, error: error.message };
    throw error;
  }
}

const gone = new AbortController().signal;

async function serve({ value, content }: Frame): Promise<void> {
  const { success, output } = v.safeParse(requestSchema, value);
  v.safeParse(answerSchema, value);
  if (!success || !isOperation(output.operation)) return;
  try {
    await operations[output.operation](
      admin,
      content === undefined ? output.request : { ...output.request, content },
      gone,
    );
  } catch (error) {
    if (!(error instanceof AdminError)) throw error;
  }
}

/** Each request is worth its time: many of them say nothing about how they are read. */
const servedFrames = 100;

async function read(input: Buffer, cut: Cut): Promise<void> {
  for (const frame of (await framesIn(input, cut)).frames.slice(0, servedFrames)) await serve(frame);
}

async function check(input: Buffer): Promise<void> {
  const first = await framesIn(input, whole);
  for (const [name, cut] of cuts) demandSame(`what is read ${name}`, first, await framesIn(input, cut));
  for (const frame of first.frames) await serve(frame);
}

const requests: readonly object[] = [
  { operation: 'addAccount', request: { address: 'bob@example.org', password: 'secret' } },
  { operation: 'importAccounts', request: { accounts: [{ address: 'a@example.org', hash: '$argon2id$' }] } },
  {
    operation: 'changeSenderList',
    request: { address: 'a@example.org', list: 'block', add: ['*@b.example'] },
  },
  { operation: 'setAlias', request: { address: 'a@example.org', targets: ['b@example.org'] } },
  { operation: 'trace', request: { subject: 'Q', limit: 1 } },
  { operation: 'listQueue', request: { domain: 'example.org', site: 'mx.example.org', limit: 10 } },
  {
    operation: 'orderQueue',
    request: { selection: { state: 'held' }, order: { kind: 'redirect', to: 'a@example.org' }, by: 'root' },
  },
  { operation: 'suspend', request: { scope: 'site', name: 'mx.example.org', by: 'root', until: 1 } },
  { operation: 'listAliases', request: {} },
  { operation: 'constructor', request: {} },
  { error: { code: 'exists', message: 'x' } },
  { result: [1, 2, { a: null }] },
];

const seeds = (): Buffer[] => [
  ...requests.map((value) => encodeFrame({ value: { ...value } })),
  encodeFrame({
    value: { operation: 'send', request: { from: '', recipients: ['a@example.org'] } },
    content: Buffer.from('Subject: x\r\n\r\nhi\r\n'),
  }),
];

function frames(random: Random): Buffer {
  return Buffer.concat(random.some(4, () => random.pick(seeds())));
}

export const control: Target = {
  name: 'control',
  seeds,
  generate: frames,
  read: (input) => read(input, whole),
  check,
  trickle: (input) => read(input, byteByByte),
  places: [
    between('{"operation":"trace","request":{"subject":"', '"}}\n'),
    between('{"contentBytes":1048576}\n'),
  ],
};

/** A command's end of the control socket: an Admin whose every operation is performed by the running server, or is given up. */

import * as v from 'valibot';
import { type ControlConnection, connectControl } from '../net/control-socket.ts';
import { errorCode } from '../store/errors.ts';
import type { Admin, Operation } from './admin.ts';
import { AdminError } from './admin-error.ts';
import { type AnswerWatch, type Patience, watchAnswer } from './answer-watch.ts';
import { answerSchema, isWorking, maxAnswerLine } from './control-protocol.ts';
import { encodeFrame, type Frame, FrameError, readFrames } from './frames.ts';

/**
 * Undefined where no server listens at `socketPath`. Rejects with the system's error where it may not be opened. Each operation
 * rejects with an AdminError('connection') where the answer does not come.
 */
export async function remoteAdmin(socketPath: string, patience: Patience = {}): Promise<Admin | undefined> {
  const connection = await connectControl(socketPath).catch((error: unknown) => {
    throw errorCode(error) === 'EAGAIN' ? crowded(error) : error;
  });
  return connection === undefined ? undefined : proxy(connection, patience);
}

function proxy(connection: ControlConnection, patience: Patience): Admin {
  const ask = asker(connection, patience);
  return {
    addAccount: (request) => ask('addAccount', request),
    importAccounts: (request) => ask('importAccounts', request),
    listAccounts: () => ask('listAccounts'),
    setPassword: (request) => ask('setPassword', request),
    changeSettings: (request) => ask('changeSettings', request),
    suspendAccount: (request) => ask('suspendAccount', request),
    resumeAccount: (request) => ask('resumeAccount', request),
    removeAccount: (request) => ask('removeAccount', request),
    restoreAccount: (request) => ask('restoreAccount', request),
    listRemovedAccounts: () => ask('listRemovedAccounts'),
    addAppPassword: (request) => ask('addAppPassword', request),
    listAppPasswords: (request) => ask('listAppPasswords', request),
    removeAppPassword: (request) => ask('removeAppPassword', request),
    changeSenderList: (request) => ask('changeSenderList', request),
    listGreylist: (request) => ask('listGreylist', request),
    allowGreylist: (request) => ask('allowGreylist', request),
    removeGreylist: (request) => ask('removeGreylist', request),
    listSenders: (request) => ask('listSenders', request),
    findSender: (request) => ask('findSender', request),
    forgetSender: (request) => ask('forgetSender', request),
    setAlias: (request) => ask('setAlias', request),
    removeAlias: (request) => ask('removeAlias', request),
    listAliases: () => ask('listAliases'),
    trace: (request) => ask('trace', request),
    listJudged: (request) => ask('listJudged', request),
    listBraked: () => ask('listBraked'),
    releaseAccount: (request) => ask('releaseAccount', request),
    listBans: () => ask('listBans'),
    addBan: (request) => ask('addBan', request),
    liftBan: (request) => ask('liftBan', request),
    tlsStatus: () => ask('tlsStatus'),
    renewCertificates: (request) => ask('renewCertificates', request),
    rolloverKey: (request) => ask('rolloverKey', request),
    revokeCertificate: (request) => ask('revokeCertificate', request),
    listQueue: (request) => ask('listQueue', request),
    outlook: (request) => ask('outlook', request),
    listReceivers: () => ask('listReceivers'),
    countDelivered: (request) => ask('countDelivered', request),
    resetReceivers: (request) => ask('resetReceivers', request),
    checkAddress: (request) => ask('checkAddress', request),
    reload: () => ask('reload'),
    whoRuns: () => ask('whoRuns'),
    handOver: () => ask('handOver'),
    lookAtSources: () => ask('lookAtSources'),
    countQueue: (request) => ask('countQueue', request),
    orderQueue: (request) => ask('orderQueue', request),
    suspend: (request) => ask('suspend', request),
    resume: (request) => ask('resume', request),
    listSuspensions: () => ask('listSuspensions'),
    listSuppressions: (request) => ask('listSuppressions', request),
    findSuppression: (request) => ask('findSuppression', request),
    addSuppression: (request) => ask('addSuppression', request),
    removeSuppression: (request) => ask('removeSuppression', request),
    listReports: (request) => ask('listReports', request),
    dmarcSummary: (request) => ask('dmarcSummary', request),
    beginSnapshot: () => ask('beginSnapshot'),
    renewSnapshot: (request) => ask('renewSnapshot', request),
    endSnapshot: (request) => ask('endSnapshot', request),
    send: ({ content, ...request }) => ask('send', request, content),
    handIn: ({ content, ...request }) => ask('handIn', request, content),
    heardRefusals: (request) => ask('heardRefusals', request),
    async close() {
      connection.close();
    },
  };
}

type Ask = <Name extends Operation>(
  operation: Name,
  request?: object,
  content?: Buffer,
) => ReturnType<Admin[Name]>;

/** Requests go one after the other: the next waits for the answer to the last. */
function asker(connection: ControlConnection, patience: Patience): Ask {
  const frames = readFrames(connection.chunks, { lineBytes: maxAnswerLine, contentBytes: 0 });
  let last: Promise<unknown> = Promise.resolve();
  const ask = (operation: Operation, request: object = {}, content?: Buffer): Promise<unknown> => {
    const value = { operation, request, tellWorking: true };
    const frame = encodeFrame(content === undefined ? { value } : { value, content });
    const result = last.then(async () => {
      const watch = watchAnswer(operation, patience);
      try {
        return await Promise.race([exchange(connection, frames, { request: frame, watch }), watch.givenUp]);
      } catch (error) {
        // An answer that comes after all would be taken for that to the next request.
        if (error instanceof AdminError && error.code === 'connection') connection.close();
        throw error;
      } finally {
        watch.stop();
      }
    });
    last = result.catch(() => undefined); // its asker hears of it; the next request finds out by itself
    return result;
  };
  return ask as Ask; // both ends are of one program: the answer to an operation has the operation's shape
}

async function exchange(
  connection: ControlConnection,
  frames: AsyncGenerator<Frame>,
  { request, watch }: { request: Buffer; watch: AnswerWatch },
): Promise<unknown> {
  const frame = await connection
    .write(request)
    .then(() => nextAnswer(frames, watch))
    .catch((error: unknown) => {
      const detail = error instanceof FrameError ? ` (${error.message})` : '';
      throw connectionLost(detail, error);
    });
  if (frame === undefined) throw connectionLost('', undefined);
  const answer = v.parse(answerSchema, frame.value);
  if ('error' in answer) throw new AdminError(answer.error.code, answer.error.message);
  return answer.result;
}

async function nextAnswer(frames: AsyncGenerator<Frame>, watch: AnswerWatch): Promise<Frame | undefined> {
  for (;;) {
    const { done, value } = await frames.next();
    if (done) return undefined;
    if (!isWorking(value.value)) return value;
    watch.heard();
  }
}

/** The system keeps some hundred connections for a process that does not accept them. */
const crowded = (cause: unknown) =>
  new AdminError(
    'connection',
    'The server takes no more commands: as many as the system lets wait for it already. It may hang: look at its log, and restart it if it does.',
    { cause },
  );

const connectionLost = (detail: string, cause: unknown) =>
  new AdminError(
    'connection',
    `The server went away before it answered${detail}. Whether it did what was asked is not known: look, and ask again.`,
    { cause },
  );

/** What is asked and answered over the control socket: the operations with their requests' shapes, and the answers. */

import * as v from 'valibot';
import { messageNamePattern } from '../store/drop-message.ts';
import { envelopeShape } from '../store/maildrop.ts';
import { describeIssues } from '../util/shape-issues.ts';
import type { Admin, Operation } from './admin.ts';
import { AdminError, adminErrorCodes } from './admin-error.ts';

/** A batch of accounts is the longest request, a long trace the longest answer; both in octets of JSON. */
export const maxRequestLine = 4 * 2 ** 20;
export const maxAnswerLine = 64 * 2 ** 20;

/** Characters of who gave an order, and why, each. */
export const maxNoteLength = 500;

/** One request, one answer, in turn: neither needs a number. */
export const requestSchema = v.object({
  operation: v.string(),
  // valibot's objects and records may be lists.
  request: v.custom<Record<string, unknown>>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  ),
  /** Until the answer is there, `working` comes every few seconds. A server of an earlier version does not know it. */
  tellWorking: v.exactOptional(v.boolean()),
});

/** What comes before an answer that takes its time. */
export const working = { working: true } as const;

export const isWorking = (value: Record<string, unknown>): boolean => value.working === true;

export const answerSchema = v.union([
  v.object({ error: v.object({ code: v.picklist(adminErrorCodes), message: v.string() }) }),
  v.object({ result: v.optional(v.unknown()) }),
]);

export type Answer = v.InferOutput<typeof answerSchema>;

/** `gone`: whoever asks has closed the connection. */
type Perform = (admin: Admin, request: unknown, gone: AbortSignal) => Promise<unknown>;

/** Checks a request's shape before `perform` sees it. */
function operation<Schema extends v.GenericSchema>(
  schema: Schema,
  perform: (admin: Admin, request: v.InferOutput<Schema>, gone: AbortSignal) => Promise<unknown>,
): Perform {
  return async (admin, request, gone) => {
    // The first of what is wrong is enough: a batch has room for some hundred thousand.
    const { success, output, issues } = v.safeParse(schema, request, { abortEarly: true });
    if (!success)
      throw new AdminError('bad-request', `The server does not understand: ${describeIssues(issues)}`);
    return perform(admin, output, gone);
  };
}

const text = v.string();
const nothing = v.object({});
const address = v.object({ address: text });
const account = v.object({ address: text, password: v.exactOptional(text), hash: v.exactOptional(text) });
const appPassword = v.object({ ...address.entries, name: text });
const alias = v.object({
  ...address.entries,
  targets: v.array(text),
  list: v.exactOptional(
    v.object({
      owner: text,
      post: v.picklist(['anybody', 'members', 'domain']),
      name: v.exactOptional(text),
    }),
  ),
});
const octets = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
const settingsChange = v.object({
  ...address.entries,
  receive: v.exactOptional(v.boolean()),
  send: v.exactOptional(v.boolean()),
  quotaBytes: v.exactOptional(v.nullable(octets)),
  policy: v.exactOptional(v.nullable(text)),
  hourlyRecipients: v.exactOptional(v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(0)))),
  appPasswordsOnly: v.exactOptional(v.boolean()),
  forward: v.exactOptional(v.nullable(v.object({ to: v.array(text), keep: v.boolean() }))),
});
const moment = v.pipe(v.number(), v.safeInteger());
const selection = v.object({
  domain: v.exactOptional(text),
  site: v.exactOptional(text),
  queueId: v.exactOptional(text),
  recipient: v.exactOptional(text),
  sender: v.exactOptional(text),
  queuedBefore: v.exactOptional(moment),
  queuedAfter: v.exactOptional(moment),
  state: v.exactOptional(v.picklist(['waiting', 'held', 'underway'])),
});
const countRequest = v.object({ ...selection.entries, mustKnow: v.exactOptional(v.boolean()) });
/** Stands in dossiers, once for each recipient. */
const note = v.pipe(text, v.maxLength(maxNoteLength));
const ordered = { by: note, reason: v.exactOptional(note) };
const order = v.variant('kind', [
  v.object({ kind: v.picklist(['retry', 'hold', 'release', 'drop', 'bounce']) }),
  v.object({ kind: v.literal('redirect'), to: text }),
]);
const scope = { scope: v.picklist(['all', 'domain', 'site']), name: text };
const limit = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

export const operations: Record<Operation, Perform> = {
  addAccount: operation(account, (admin, request) => admin.addAccount(request)),
  importAccounts: operation(v.object({ accounts: v.array(account) }), (admin, request) =>
    admin.importAccounts(request),
  ),
  listAccounts: operation(nothing, (admin) => admin.listAccounts()),
  setPassword: operation(v.object({ ...address.entries, password: text }), (admin, request) =>
    admin.setPassword(request),
  ),
  changeSettings: operation(settingsChange, (admin, request) => admin.changeSettings(request)),
  suspendAccount: operation(
    v.object({ ...address.entries, refusesMail: v.exactOptional(v.boolean()) }),
    (admin, request) => admin.suspendAccount(request),
  ),
  resumeAccount: operation(address, (admin, request) => admin.resumeAccount(request)),
  removeAccount: operation(
    v.object({
      ...address.entries,
      now: v.exactOptional(v.boolean()),
      isUnknown: v.exactOptional(v.boolean()),
    }),
    (admin, request) => admin.removeAccount(request),
  ),
  restoreAccount: operation(address, (admin, request) => admin.restoreAccount(request)),
  listRemovedAccounts: operation(nothing, (admin) => admin.listRemovedAccounts()),
  addAppPassword: operation(
    v.object({ ...appPassword.entries, scope: v.picklist(['submission', 'pop3', 'both']) }),
    (admin, request) => admin.addAppPassword(request),
  ),
  listAppPasswords: operation(address, (admin, request) => admin.listAppPasswords(request)),
  removeAppPassword: operation(appPassword, (admin, request) => admin.removeAppPassword(request)),
  changeSenderList: operation(
    v.object({
      ...address.entries,
      list: v.picklist(['block', 'allow']),
      add: v.exactOptional(v.array(text)),
      remove: v.exactOptional(v.array(text)),
    }),
    (admin, request) => admin.changeSenderList(request),
  ),
  listGreylist: operation(v.object({ after: v.exactOptional(moment), limit }), (admin, request) =>
    admin.listGreylist(request),
  ),
  allowGreylist: operation(v.object({ name: text, ...ordered }), (admin, request) =>
    admin.allowGreylist(request),
  ),
  removeGreylist: operation(v.object({ name: text }), (admin, request) => admin.removeGreylist(request)),
  setAlias: operation(alias, (admin, request) => admin.setAlias(request)),
  listSenders: operation(v.object({ after: v.exactOptional(moment), limit }), (admin, request) =>
    admin.listSenders(request),
  ),
  findSender: operation(v.object({ name: text }), (admin, request) => admin.findSender(request)),
  forgetSender: operation(v.object({ name: text }), (admin, request) => admin.forgetSender(request)),
  removeAlias: operation(address, (admin, request) => admin.removeAlias(request)),
  listAliases: operation(nothing, (admin) => admin.listAliases()),
  listJudged: operation(v.object({ before: v.exactOptional(moment), limit }), (admin, request) =>
    admin.listJudged(request),
  ),
  trace: operation(v.object({ subject: text, limit }), (admin, request) => admin.trace(request)),
  listQueue: operation(
    v.object({ ...selection.entries, after: v.exactOptional(text), limit }),
    (admin, request) => admin.listQueue(request),
  ),
  outlook: operation(v.object({ queueId: text }), (admin, request) => admin.outlook(request)),
  listReceivers: operation(nothing, (admin) => admin.listReceivers()),
  countDelivered: operation(v.object({ hosts: v.array(text) }), (admin, request) =>
    admin.countDelivered(request),
  ),
  resetReceivers: operation(v.object({ site: v.exactOptional(text) }), (admin, request) =>
    admin.resetReceivers(request),
  ),
  checkAddress: operation(
    v.object({ ...address.entries, fresh: v.exactOptional(v.boolean()) }),
    (admin, request) => admin.checkAddress(request),
  ),
  whoRuns: operation(nothing, (admin) => admin.whoRuns()),
  handOver: operation(nothing, (admin) => admin.handOver()),
  reload: operation(nothing, (admin) => admin.reload()),
  lookAtSources: operation(nothing, (admin) => admin.lookAtSources()),
  countQueue: operation(countRequest, (admin, request) => admin.countQueue(request)),
  orderQueue: operation(
    v.object({ selection, order, ...ordered, after: v.exactOptional(text) }),
    (admin, request) => admin.orderQueue(request),
  ),
  suspend: operation(v.object({ ...scope, ...ordered, until: v.exactOptional(moment) }), (admin, request) =>
    admin.suspend(request),
  ),
  resume: operation(v.object({ ...scope, by: note }), (admin, request) => admin.resume(request)),
  listSuspensions: operation(nothing, (admin) => admin.listSuspensions()),
  listSuppressions: operation(v.object({ after: v.exactOptional(text), limit }), (admin, request) =>
    admin.listSuppressions(request),
  ),
  findSuppression: operation(address, (admin, request) => admin.findSuppression(request)),
  addSuppression: operation(v.object({ ...address.entries, ...ordered, until: moment }), (admin, request) =>
    admin.addSuppression(request),
  ),
  removeSuppression: operation(v.object({ ...address.entries, by: note }), (admin, request) =>
    admin.removeSuppression(request),
  ),
  listBraked: operation(nothing, (admin) => admin.listBraked()),
  releaseAccount: operation(
    v.object({ ...address.entries, by: note, drop: v.exactOptional(v.boolean()) }),
    (admin, request) => admin.releaseAccount(request),
  ),
  listBans: operation(nothing, (admin) => admin.listBans()),
  addBan: operation(
    v.object({ network: text, until: v.exactOptional(moment), ...ordered }),
    (admin, request) => admin.addBan(request),
  ),
  tlsStatus: operation(nothing, (admin) => admin.tlsStatus()),
  renewCertificates: operation(
    v.object({ name: v.exactOptional(text), force: v.boolean() }),
    (admin, request) => admin.renewCertificates(request),
  ),
  rolloverKey: operation(v.object({ name: v.exactOptional(text), isUrgent: v.boolean() }), (admin, request) =>
    admin.rolloverKey(request),
  ),
  revokeCertificate: operation(v.object({ name: v.exactOptional(text) }), (admin, request) =>
    admin.revokeCertificate(request),
  ),
  liftBan: operation(v.object({ network: text, by: note }), (admin, request) => admin.liftBan(request)),
  listReports: operation(
    v.object({
      kind: v.picklist(['dmarc', 'tls', 'abuse', 'unreadable']),
      domain: v.exactOptional(text),
      since: moment,
      after: v.exactOptional(moment),
      limit,
    }),
    (admin, request) => admin.listReports(request),
  ),
  dmarcSummary: operation(
    v.object({ domain: v.exactOptional(text), since: moment, unproven: v.exactOptional(v.boolean()) }),
    (admin, request) => admin.dmarcSummary(request),
  ),
  beginSnapshot: operation(nothing, (admin, _, gone) => admin.beginSnapshot(gone)),
  renewSnapshot: operation(v.object({ id: text }), (admin, request) => admin.renewSnapshot(request)),
  endSnapshot: operation(v.object({ id: text }), (admin, request) => admin.endSnapshot(request)),
  send: operation(
    v.object({ from: text, recipients: v.pipe(v.array(text), v.minLength(1)), content: v.instance(Buffer) }),
    (admin, request) => admin.send(request),
  ),
  handIn: operation(
    v.object({
      name: v.pipe(text, v.regex(messageNamePattern)),
      uid: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
      envelope: v.object(envelopeShape),
      content: v.instance(Buffer),
    }),
    (admin, request) => admin.handIn(request),
  ),
  heardRefusals: operation(v.object({ queueId: text }), (admin, request) => admin.heardRefusals(request)),
};

export const isOperation = (name: string): name is Operation => Object.hasOwn(operations, name);

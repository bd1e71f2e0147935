/** What is asked and answered over the control socket: the operations with their requests' shapes, and the answers. */

import * as v from 'valibot';
import { describeIssues } from '../util/shape-issues.ts';
import { type Admin, AdminError, adminErrorCodes, type Operation } from './admin.ts';

/** File name of the socket within the data directory. */
export const socketName = 'control.sock';

/** A batch of accounts is the longest request, a long trace the longest answer; both in octets of JSON. */
export const maxRequestLine = 4 * 2 ** 20;
export const maxAnswerLine = 64 * 2 ** 20;

/** One request, one answer, in turn: neither needs a number. */
export const requestSchema = v.object({
  operation: v.string(),
  // valibot's objects and records may be lists.
  request: v.custom<Record<string, unknown>>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  ),
});

export const answerSchema = v.union([
  v.object({ error: v.object({ code: v.picklist(adminErrorCodes), message: v.string() }) }),
  v.object({ result: v.optional(v.unknown()) }),
]);

export type Answer = v.InferOutput<typeof answerSchema>;

type Perform = (admin: Admin, request: unknown) => Promise<unknown>;

/** Checks a request's shape before `perform` sees it. */
function operation<Schema extends v.GenericSchema>(
  schema: Schema,
  perform: (admin: Admin, request: v.InferOutput<Schema>) => Promise<unknown>,
): Perform {
  return async (admin, request) => {
    // The first of what is wrong is enough: a batch has room for some hundred thousand.
    const { success, output, issues } = v.safeParse(schema, request, { abortEarly: true });
    if (!success)
      throw new AdminError('bad-request', `The server does not understand: ${describeIssues(issues)}`);
    return perform(admin, output);
  };
}

const text = v.string();
const nothing = v.object({});
const address = v.object({ address: text });
const account = v.object({ address: text, password: v.exactOptional(text), hash: v.exactOptional(text) });
const filter = v.object({
  destination: v.exactOptional(text),
  queueId: v.exactOptional(text),
  recipient: v.exactOptional(text),
});
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
  removeAccount: operation(address, (admin, request) => admin.removeAccount(request)),
  setAlias: operation(v.object({ ...address.entries, targets: v.array(text) }), (admin, request) =>
    admin.setAlias(request),
  ),
  removeAlias: operation(address, (admin, request) => admin.removeAlias(request)),
  listAliases: operation(nothing, (admin) => admin.listAliases()),
  trace: operation(v.object({ subject: text, limit }), (admin, request) => admin.trace(request)),
  listQueue: operation(
    v.object({ ...filter.entries, after: v.exactOptional(text), limit }),
    (admin, request) => admin.listQueue(request),
  ),
  outlook: operation(v.object({ queueId: text }), (admin, request) => admin.outlook(request)),
  retryQueue: operation(filter, (admin, request) => admin.retryQueue(request)),
  dropQueue: operation(filter, (admin, request) => admin.dropQueue(request)),
  listReceivers: operation(nothing, (admin) => admin.listReceivers()),
  resetReceivers: operation(v.object({ site: v.exactOptional(text) }), (admin, request) =>
    admin.resetReceivers(request),
  ),
  checkAddress: operation(address, (admin, request) => admin.checkAddress(request)),
  lookAtSources: operation(nothing, (admin) => admin.lookAtSources()),
  send: operation(
    v.object({ from: text, recipients: v.pipe(v.array(text), v.minLength(1)), content: v.instance(Buffer) }),
    (admin, request) => admin.send(request),
  ),
};

export const isOperation = (name: string): name is Operation => Object.hasOwn(operations, name);

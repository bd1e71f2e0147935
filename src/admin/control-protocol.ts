/** What is asked and answered over the control socket: the operations with their requests' shapes, and the answers. */

import { z } from 'zod';
import { type Admin, AdminError, adminErrorCodes, type Operation } from './admin.ts';

/** File name of the socket within the data directory. */
export const socketName = 'control.sock';

/** A batch of accounts is the longest request, a long trace the longest answer; both in octets of JSON. */
export const maxRequestLine = 4 * 2 ** 20;
export const maxAnswerLine = 64 * 2 ** 20;

/** One request, one answer, in turn: neither needs a number. */
export const requestSchema = z.object({ operation: z.string(), request: z.record(z.string(), z.unknown()) });

export const answerSchema = z.union([
  z.object({ error: z.object({ code: z.enum(adminErrorCodes), message: z.string() }) }),
  z.object({ result: z.unknown().optional() }),
]);

export type Answer = z.output<typeof answerSchema>;

type Perform = (admin: Admin, request: unknown) => Promise<unknown>;

/** Checks a request's shape before `perform` sees it. */
function operation<Schema extends z.ZodType>(
  schema: Schema,
  perform: (admin: Admin, request: z.output<Schema>) => Promise<unknown>,
): Perform {
  return async (admin, request) => {
    const { success, data, error } = schema.safeParse(request);
    if (!success)
      throw new AdminError('bad-request', `The server does not understand: ${z.prettifyError(error)}`);
    return perform(admin, data);
  };
}

const text = z.string();
const nothing = z.object({});
const address = z.object({ address: text });
const account = z.object({ address: text, password: text.exactOptional(), hash: text.exactOptional() });
const filter = z.object({
  destination: text.exactOptional(),
  queueId: text.exactOptional(),
  recipient: text.exactOptional(),
});
const limit = z.number().int().positive();

export const operations: Record<Operation, Perform> = {
  addAccount: operation(account, (admin, request) => admin.addAccount(request)),
  importAccounts: operation(z.object({ accounts: z.array(account) }), (admin, request) =>
    admin.importAccounts(request),
  ),
  listAccounts: operation(nothing, (admin) => admin.listAccounts()),
  setPassword: operation(address.extend({ password: text }), (admin, request) => admin.setPassword(request)),
  removeAccount: operation(address, (admin, request) => admin.removeAccount(request)),
  setAlias: operation(address.extend({ targets: z.array(text) }), (admin, request) =>
    admin.setAlias(request),
  ),
  removeAlias: operation(address, (admin, request) => admin.removeAlias(request)),
  listAliases: operation(nothing, (admin) => admin.listAliases()),
  trace: operation(z.object({ subject: text, limit }), (admin, request) => admin.trace(request)),
  listQueue: operation(filter.extend({ after: text.exactOptional(), limit }), (admin, request) =>
    admin.listQueue(request),
  ),
  retryQueue: operation(filter, (admin, request) => admin.retryQueue(request)),
  dropQueue: operation(filter, (admin, request) => admin.dropQueue(request)),
  send: operation(
    z.object({ from: text, recipients: z.array(text).min(1), content: z.instanceof(Buffer) }),
    (admin, request) => admin.send(request),
  ),
};

export const isOperation = (name: string): name is Operation => Object.hasOwn(operations, name);

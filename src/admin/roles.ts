/**
 * Who may do what over a control socket. Node does not tell who is at the other end of one (SO_PEERCRED), so each role has
 * a socket of its own, and the file system says who may open it: its group.
 */

import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import type { Operation } from './admin.ts';
import { AdminError } from './admin-error.ts';

/** Each may do what those before it may. */
export const roles = ['viewer', 'operator', 'admin'] as const;

export type Role = (typeof roles)[number];

/** Those that have a socket beside the administrator's, and whom it is for. */
export const groupRoles = ['operator', 'viewer'] as const satisfies readonly Role[];

export type GroupRole = (typeof groupRoles)[number];

/** The least role that may do it. A viewer changes nothing; an operator makes no accounts, reads no mail and sends none. */
const leastRoles: Record<Operation, Role> = {
  listAccounts: 'viewer',
  listRemovedAccounts: 'viewer',
  listAliases: 'viewer',
  listGreylist: 'viewer',
  listSenders: 'viewer',
  findSender: 'viewer',
  trace: 'viewer',
  listJudged: 'viewer',
  listQueue: 'viewer',
  countQueue: 'viewer',
  outlook: 'viewer',
  listReceivers: 'viewer',
  countDelivered: 'viewer',
  listSuspensions: 'viewer',
  listSuppressions: 'viewer',
  findSuppression: 'viewer',
  listBraked: 'viewer',
  listBans: 'viewer',
  listReports: 'viewer',
  dmarcSummary: 'viewer',
  whoRuns: 'viewer',
  tlsStatus: 'viewer',
  suspendAccount: 'operator',
  resumeAccount: 'operator',
  listAppPasswords: 'operator',
  removeAppPassword: 'operator',
  allowGreylist: 'operator',
  removeGreylist: 'operator',
  forgetSender: 'operator',
  resetReceivers: 'operator',
  checkAddress: 'operator',
  lookAtSources: 'operator',
  reload: 'operator',
  orderQueue: 'operator',
  suspend: 'operator',
  resume: 'operator',
  addSuppression: 'operator',
  removeSuppression: 'operator',
  releaseAccount: 'operator',
  addBan: 'operator',
  liftBan: 'operator',
  renewCertificates: 'operator',
  addAccount: 'admin',
  importAccounts: 'admin',
  setPassword: 'admin',
  changeSettings: 'admin',
  removeAccount: 'admin',
  restoreAccount: 'admin',
  addAppPassword: 'admin',
  changeSenderList: 'admin',
  setAlias: 'admin',
  removeAlias: 'admin',
  rolloverKey: 'admin',
  revokeCertificate: 'admin',
  handOver: 'admin',
  beginSnapshot: 'admin',
  renewSnapshot: 'admin',
  endSnapshot: 'admin',
  send: 'admin',
  handIn: 'admin',
  heardRefusals: 'admin',
};

/** Throws an AdminError('forbidden'). A redirection hands mail to somebody else: that is an administrator's. */
export function demandRole(role: Role, operation: Operation, request: Record<string, unknown>): void {
  const least = isRedirection(operation, request) ? 'admin' : leastRoles[operation];
  if (roles.indexOf(role) >= roles.indexOf(least)) return;
  throw new AdminError(
    'forbidden',
    `Who comes by the socket for ${role}s may not do that: it is for ${least}s. Ask one, or see [control] in the configuration.`,
  );
}

const isRedirection = (operation: Operation, { order }: Record<string, unknown>): boolean =>
  operation === 'orderQueue' &&
  typeof order === 'object' &&
  order !== null &&
  'kind' in order &&
  order.kind === 'redirect';

/** Of a role's socket; undefined where nobody has that role. */
export function rolePath({ control }: Pick<Config, 'control'>, role: GroupRole): string | undefined {
  return control[`${role}s`] === undefined ? undefined : join(control.directory, `${role}.sock`);
}

/** The wiring of the control sockets: the administrator's in the data directory, and one for each group with a role. */

import type { Admin } from '../admin/admin.ts';
import { type ControlServerParts, startControlServer } from '../admin/control-server.ts';
import { controlPath } from '../admin/open-admin.ts';
import { groupRoles, rolePath } from '../admin/roles.ts';
import { ConfigError } from '../config/problem.ts';
import { findGroup } from '../net/unix-group.ts';
import type { Clock } from '../util/clock.ts';
import type { Log } from '../util/log.ts';
import type { InForce } from './in-force.ts';

export interface ControlSocketsParts {
  inForce: InForce;
  admin(): Admin;
  log: Log;
  clock: Clock;
}

/** Rejects with a ConfigError where a group is not there, or with the system's error of a socket. */
export async function startControlSockets(
  { inForce, admin, log, clock }: ControlSocketsParts,
  parts: AsyncDisposableStack,
): Promise<void> {
  const { config } = inForce;
  const maxContentBytes = () => inForce.config.limits.messageBytes;
  const start = async (more: Pick<ControlServerParts, 'path' | 'role' | 'group'>) => {
    const server = await startControlServer({ admin, log, clock, maxContentBytes, ...more });
    parts.defer(() => server.stop());
  };
  await start({ path: controlPath(config) });
  for (const role of groupRoles) {
    const path = rolePath(config, role);
    const name = config.control[`${role}s`];
    if (path === undefined || name === undefined) continue;
    const group = await findGroup(name);
    if (group === undefined)
      throw new ConfigError([
        {
          file: config.file,
          key: `control.${role}s`,
          what: `there is no group ${JSON.stringify(name)} in /etc/group`,
          remedy: `Make it: groupadd ${name}. Of one that comes from elsewhere, give the number.`,
        },
      ]);
    await start({ path, role, group });
  }
}

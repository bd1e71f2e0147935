/** What is in force now. A reload replaces it as a whole; who outlives that asks here each time. */

import type { Admin } from '../admin/admin.ts';
import type { Config } from '../config/config.ts';
import type { Settings } from '../config/settings.ts';
import type { ReportParts } from '../delivery/reports/report.ts';
import type { OpenSession } from '../net/connection.ts';
import type { Certificates } from '../net/tls-context.ts';
import type { IntakeParts } from '../reception/maildrop/intake.ts';
import type { ReportInbox } from '../reporting/inbox/report-inbox.ts';
import type { Acme } from './acme.ts';
import type { Sending } from './deliveries.ts';
import type { Incoming } from './sessions.ts';
import type { WebDoor } from './web.ts';

export interface Edition {
  config: Config;
  /** Absent: without TLS. */
  certificates: Certificates | undefined;
  /** Absent where no certificate comes from an authority. */
  acme: Acme | undefined;
  sending: Sending;
  /** In whose name senders are told. */
  report: ReportParts;
  /** What commands reach. */
  admin: Admin;
  inbox: ReportInbox | undefined;
  /** What users of this machine hand in goes this way. */
  intake: IntakeParts;
  serve(incoming: Incoming): OpenSession;
  /** Absent where no listener speaks HTTP. */
  web: WebDoor | undefined;
  /** Lets go of everything when the last session and the last delivery that began with it have ended. */
  retire(): Promise<void>;
}

export class InForce implements Settings {
  #config: Config;
  #edition: Edition | undefined;

  constructor(config: Config) {
    this.#config = config;
  }

  get config(): Config {
    return this.#config;
  }

  /** Nothing is under way before there is one. */
  get edition(): Edition {
    if (this.#edition === undefined) throw new Error('the server has not begun yet');
    return this.#edition;
  }

  /** From now on. Returns what was in force before. */
  replace(edition: Edition): Edition | undefined {
    const before = this.#edition;
    this.#edition = edition;
    this.#config = edition.config;
    return before;
  }
}

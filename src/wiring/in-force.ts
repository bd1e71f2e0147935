/** What is in force now. A reload replaces it as a whole; who outlives that asks here each time. */

import type { Config } from '../config/config.ts';
import type { Settings } from '../config/settings.ts';
import type { Edition } from './edition.ts';

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

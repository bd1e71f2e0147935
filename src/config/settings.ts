/** The configuration in force, for what outlives a reload: it asks each time, and so is never behind. */

import type { Config } from './config.ts';

export interface Settings {
  /** Another object after a reload; each by itself is frozen. */
  readonly config: Config;
}

/** What is made of a configuration, once for each: it is made anew where another is in force. */
export function madeOf<Part extends Partial<Config>, T>(
  settings: { readonly config: Part },
  make: (config: Part) => T,
): () => T {
  let madeFor: Part | undefined;
  let made: T;
  return () => {
    const { config } = settings;
    if (config !== madeFor) {
      made = make(config);
      madeFor = config;
    }
    return made;
  };
}

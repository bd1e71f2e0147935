/** What one step of setting up a server comes to, and how it is told while it goes on. */

/**
 * `done`: made now; `kept`: it was there; `good`: looked at, in order; `warning`: works, but not as it should; `failed`: somebody
 * has to do something before mail works; `skipped`: not for this machine.
 */
export type StepState = 'done' | 'kept' | 'good' | 'warning' | 'failed' | 'skipped';

export interface StepOutcome<T = undefined> {
  value: T;
  state: StepState;
  what: string;
  /** More lines about it. */
  details?: readonly string[];
  /** What to do, for warnings and failures. */
  remedy?: string;
}

export interface StepReport extends Omit<StepOutcome<unknown>, 'value'> {
  step: string;
}

export interface Progress {
  begins(step: string): void;
  ends(report: StepReport): void;
}

/** Nothing can go on without it; what was made so far stays, and is found again. */
export class SetupError extends Error {
  override readonly name = 'SetupError';
  readonly step: string;
  readonly remedy: string;

  constructor(step: string, what: string, remedy: string) {
    super(what);
    this.step = step;
    this.remedy = remedy;
  }
}

/** Runs steps one after the other, each told as it begins and as it ends. */
export class Steps {
  readonly reports: StepReport[] = [];
  readonly #progress: Progress;

  constructor(progress: Progress) {
    this.#progress = progress;
  }

  async take<T>(step: string, act: () => Promise<StepOutcome<T>>): Promise<T> {
    this.#progress.begins(step);
    const { value, ...outcome } = await act();
    const report = { step, ...outcome };
    this.reports.push(report);
    this.#progress.ends(report);
    return value;
  }
}

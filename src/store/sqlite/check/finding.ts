/** What `posthorn store check` finds. */

export interface Finding {
  /** `error`: something is lost or cannot be used. `warning`: untidy, and harmless. `unchecked`: nothing is known of it. */
  severity: 'error' | 'warning' | 'unchecked';
  /** Absolute path. */
  file: string;
  /** A sentence without its subject, which is the message, the page or the file. */
  what: string;
  page?: number;
  /** Which table it belongs to. */
  table?: string;
  queueId?: string;
}

export const error = (finding: Omit<Finding, 'severity'>): Finding => ({ severity: 'error', ...finding });
export const warning = (finding: Omit<Finding, 'severity'>): Finding => ({ severity: 'warning', ...finding });
export const unchecked = (finding: Omit<Finding, 'severity'>): Finding => ({
  severity: 'unchecked',
  ...finding,
});

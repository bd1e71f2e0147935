/** What others report of us, as operators read it. */

import { dmarcSummary } from '../reporting/inbox/dmarc-summary.ts';
import type { Store } from '../store/store.ts';
import type { Admin } from './admin.ts';

export type ReportOperations = Pick<Admin, 'listReports' | 'dmarcSummary'>;

/** Reports on one page. */
const maxPage = 100;

export function reportOperations(store: Pick<Store, 'listReports' | 'listReportRows'>): ReportOperations {
  return {
    listReports: ({ since: endsAfter, limit, ...query }) =>
      store.listReports({ ...query, endsAfter, limit: Math.min(limit, maxPage) }),
    dmarcSummary: (request) => dmarcSummary(store, request),
  };
}

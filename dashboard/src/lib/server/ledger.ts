import type { LedgerStatus } from '@ctwa-ledger/schemas/reports.ts';
import { error, type RequestEvent } from '@sveltejs/kit';

/** Why a page cannot change anything. */
type Lock = 'read_only' | 'sample';

interface AskedLedger {
  readonly status: LedgerStatus;
  /** Whether there is nothing to show: the ledger is empty, or the sample data is still being written. */
  readonly is_empty: boolean;
  /** Why this page cannot change anything; null when it can. */
  readonly locked: Lock | null;
}

/**
 * The layout's data for a page that needs the ledger, and whether the page may change something.
 * @throws HttpError 503 when the ledger does not answer
 */
export async function askedLedger<T extends { readonly status: LedgerStatus | null }>(
  event: Pick<RequestEvent, 'locals'> & { readonly parent: () => Promise<T> },
): Promise<T & AskedLedger> {
  const layout = await event.parent();
  const { status } = layout;
  if (status === null) error(503, 'The ledger does not answer');
  return {
    ...layout,
    status,
    is_empty: status.loading_sample || (status.source === 'ledger' && status.events === 0),
    locked: event.locals.changes === null ? 'read_only' : status.source === 'sample' ? 'sample' : null,
  };
}

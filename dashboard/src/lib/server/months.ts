import type { MetaImport } from '@ctwa-ledger/schemas/meta.ts';
import type { LedgerStatus } from '@ctwa-ledger/schemas/reports.ts';
import type { RequestEvent } from '@sveltejs/kit';

import { monthsOf } from '../reconciliation/address.ts';
import { askedLedger } from './ledger.ts';

const dayOf = (seconds: number | null): string[] =>
  seconds === null ? [] : [new Date(seconds * 1_000).toISOString().slice(0, 10)];

/** The months in which there are events or numbers of Meta's, the latest first, for pages about one month. */
export async function askedMonths(
  event: Pick<RequestEvent, 'locals'> & { readonly parent: () => Promise<{ readonly status: LedgerStatus | null }> },
): Promise<{
  readonly known: readonly string[];
  readonly imports: readonly MetaImport[];
  /** Whether there is nothing to show. Imports of Meta's numbers can be shown before there are events. */
  readonly is_empty: boolean;
  readonly locked: Awaited<ReturnType<typeof askedLedger>>['locked'];
}> {
  const { status, is_empty, locked } = await askedLedger(event);
  const imports = await event.locals.reports.metaImports();
  const said = imports.flatMap(({ first_day, last_day }) => [first_day, last_day].filter((day) => day !== null));
  return {
    known: monthsOf([...dayOf(status.first_event_at), ...dayOf(status.last_event_at), ...said]),
    imports,
    is_empty: is_empty && (status.loading_sample || imports.length === 0),
    locked,
  };
}

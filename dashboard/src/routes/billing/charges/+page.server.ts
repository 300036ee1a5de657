import { error } from '@sveltejs/kit';

import { CHARGE_TABLE } from '$lib/billing/charges.ts';
import { CHARGE_NARROWINGS, readNarrowing } from '$lib/billing/narrowing.ts';
import { noMessageDelivered } from '$lib/billing/nothing.ts';
import { amountFilters } from '$lib/filters/api.ts';
import { reportsOf } from '$lib/server/reports.ts';
import { lostPlace, readTable } from '$lib/table/table.ts';
import type { PageServerLoad } from './$types';

const PAGE_ROWS = 50;

export const load: PageServerLoad = async (event) => {
  const { status, filters, range, as_of } = await event.parent();
  if (status === null) error(503, 'The ledger does not answer');
  const params = event.url.searchParams;
  const narrowing = readNarrowing(params, CHARGE_NARROWINGS);
  const table = readTable(params, CHARGE_TABLE);
  const own_repairs = [...narrowing.repairs, ...table.repairs];
  const shared = { only: narrowing.only, table: table.state };
  const empty = status.source === 'ledger' && status.events === 0;
  if (status.loading_sample || empty) return { ...shared, own_repairs, found: null };

  const reports = reportsOf(event);
  const whole = amountFilters(filters, range, as_of);
  const asked = { ...whole, ...narrowing.only };
  const [page, totals] = await Promise.all([
    reports.charges(asked, { ...table.state, limit: PAGE_ROWS }, filters.sample),
    reports.savings(asked, filters.sample),
  ]);
  const nothing =
    totals.length > 0
      ? null
      : await noMessageDelivered(whole, narrowing.only, range, (one) => reports.savings(one, filters.sample));
  return {
    ...shared,
    own_repairs: page.is_found ? own_repairs : [...own_repairs, { notice: lostPlace(CHARGE_TABLE) }],
    found: { rows: page.rows, next: page.next, totals, nothing },
  };
};

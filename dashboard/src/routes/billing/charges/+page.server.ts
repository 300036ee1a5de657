import { CHARGE_TABLE } from '$lib/billing/charges.ts';
import { understood } from '$lib/filters/picked.ts';
import { filtersOf } from '$lib/navigation/pages.ts';
import { noMessageDelivered } from '$lib/billing/nothing.ts';
import { amountFilters } from '$lib/filters/api.ts';
import { askedPage, cursorPlace, lostPlace, readTable } from '$lib/table/table.ts';
import { askedLedger } from '$lib/server/ledger.ts';
import type { PageServerLoad } from './$types';

const PAGE_ROWS = 50;

export const load: PageServerLoad = async (event) => {
  const { filters, range, names, as_of, is_empty } = await askedLedger(event);
  const params = event.url.searchParams;
  const only = understood(filters.only, filtersOf('/billing/charges'));
  const table = readTable(params, CHARGE_TABLE);
  const own_repairs = table.repairs;
  const shared = { only, table: table.state };
  if (is_empty) return { ...shared, own_repairs, found: null };

  const { reports } = event.locals;
  const whole = amountFilters(filters, range, as_of);
  const asked = { ...whole, ...only };
  const wanted = askedPage(table.state, params, CHARGE_TABLE, PAGE_ROWS);
  const [page, count, totals] = await Promise.all([
    reports.charges(asked, wanted),
    reports.chargesCount(asked),
    reports.savings(asked),
  ]);
  const nothing =
    totals.length > 0 ? null : await noMessageDelivered(whole, only, names, range, (one) => reports.savings(one));
  return {
    ...shared,
    own_repairs: page.is_found ? own_repairs : [...own_repairs, { notice: lostPlace(CHARGE_TABLE) }],
    found: { rows: page.rows, next: page.next, place: cursorPlace(page, wanted.limit, count), totals, nothing },
  };
};

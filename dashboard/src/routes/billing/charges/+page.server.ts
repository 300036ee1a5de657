import { CHARGE_TABLE } from '$lib/billing/charges.ts';
import { CHARGE_NARROWINGS, readNarrowing } from '$lib/billing/narrowing.ts';
import { noMessageDelivered } from '$lib/billing/nothing.ts';
import { amountFilters } from '$lib/filters/api.ts';
import { lostPlace, readTable } from '$lib/table/table.ts';
import { askedLedger } from '$lib/server/ledger.ts';
import type { PageServerLoad } from './$types';

const PAGE_ROWS = 50;

export const load: PageServerLoad = async (event) => {
  const { filters, range, as_of, is_empty } = await askedLedger(event);
  const params = event.url.searchParams;
  const narrowing = readNarrowing(params, CHARGE_NARROWINGS);
  const table = readTable(params, CHARGE_TABLE);
  const own_repairs = [...narrowing.repairs, ...table.repairs];
  const shared = { only: narrowing.only, table: table.state };
  if (is_empty) return { ...shared, own_repairs, found: null };

  const { reports } = event.locals;
  const whole = amountFilters(filters, range, as_of);
  const asked = { ...whole, ...narrowing.only };
  const [page, totals] = await Promise.all([
    reports.charges(asked, { ...table.state, limit: PAGE_ROWS }),
    reports.savings(asked),
  ]);
  const nothing =
    totals.length > 0 ? null : await noMessageDelivered(whole, narrowing.only, range, (one) => reports.savings(one));
  return {
    ...shared,
    own_repairs: page.is_found ? own_repairs : [...own_repairs, { notice: lostPlace(CHARGE_TABLE) }],
    found: { rows: page.rows, next: page.next, totals, nothing },
  };
};

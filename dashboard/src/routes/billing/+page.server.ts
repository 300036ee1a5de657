import { sideBySide } from '$lib/billing/currencies.ts';
import { billedDays } from '$lib/billing/days.ts';
import { understood } from '$lib/filters/picked.ts';
import { filtersOf } from '$lib/navigation/pages.ts';
import { noMessageDelivered } from '$lib/billing/nothing.ts';
import { byRemedy } from '$lib/billing/remedies.ts';
import {
  arrangedAmounts,
  CATEGORY_TABLE,
  DAY_TABLE,
  MARKET_TABLE,
  NUMBER_TABLE,
  REMEDY_TABLE,
  REMEDY_VALUES,
} from '$lib/billing/tables.ts';
import { amountFilters } from '$lib/filters/api.ts';
import { zonesOfDays } from '$lib/filters/range.ts';
import { arranged } from '$lib/table/table.ts';
import { askedLedger } from '$lib/server/ledger.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const { status, filters, range, names, as_of, is_empty } = await askedLedger(event);
  const params = event.url.searchParams;
  const only = understood(filters.only, filtersOf('/billing'));
  if (is_empty) return { bill: null, only };

  const { reports } = event.locals;
  const whole = amountFilters(filters, range, as_of);
  const asked = { ...whole, ...only };
  // Meta's numbers are by account and by its days, and cannot be narrowed otherwise.
  const isComparable =
    whole.is_tz_given !== true && Object.entries(only).every(([name, value]) => name === 'waba_id' || value == null);
  const [bill, unrated, sides, recovered] = await Promise.all([
    reports.bill(asked),
    reports.unrated(asked),
    isComparable ? reports.metaSide(asked) : [],
    isComparable ? reports.recovered(asked) : [],
  ]);
  const { totals } = bill;
  const currencies = totals.flatMap(({ currency }) => (currency === '' ? [] : [currency]));
  const zones = zonesOfDays(event.route.id, filters.tz, status.account_zones);
  const days = billedDays(bill.days, range, status.last_event_at, zones);
  const categories = sideBySide(bill.categories, (row) => `${row.category} ${row.billing}`);
  const markets = sideBySide(bill.markets, (row) => row.market);
  const numbers = sideBySide(bill.numbers, (row) => `${row.waba_id} ${row.phone_number_id}`);
  const tables = {
    days: arrangedAmounts(days, params, DAY_TABLE, currencies),
    categories: arrangedAmounts(categories, params, CATEGORY_TABLE, currencies),
    markets: arrangedAmounts(markets, params, MARKET_TABLE, currencies),
    numbers: arrangedAmounts(numbers, params, NUMBER_TABLE, currencies),
    unrated: arranged(byRemedy(unrated), params, REMEDY_TABLE, REMEDY_VALUES, ({ key }) => key),
  };
  const notices = Object.values(tables).flatMap((table) => table.notices);
  const nothing =
    totals.length > 0 ? null : await noMessageDelivered(whole, only, names, range, (one) => reports.savings(one));
  return {
    bill: { totals, sides, recovered, currencies, days, tables, nothing },
    only,
    own_repairs: [...notices.map((notice) => ({ notice }))],
  };
};

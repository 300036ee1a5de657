import { MESSAGE_TABLE } from '$lib/billing/charges.ts';
import { understood } from '$lib/filters/picked.ts';
import { filtersOf } from '$lib/navigation/pages.ts';
import { noMessageDelivered } from '$lib/billing/nothing.ts';
import { readReveal } from '$lib/conversation/asked.ts';
import { shownCustomer } from '$lib/conversation/masking.ts';
import { amountFilters } from '$lib/filters/api.ts';
import { askedPage, cursorPlace, lostPlace, readTable } from '$lib/table/table.ts';
import { askedLedger } from '$lib/server/ledger.ts';
import type { PageServerLoad } from './$types';

const PAGE_ROWS = 50;

export const load: PageServerLoad = async (event) => {
  const { filters, range, names, as_of, is_empty } = await askedLedger(event);
  const params = event.url.searchParams;
  const only = understood(filters.only, filtersOf('/billing/messages'));
  const table = readTable(params, MESSAGE_TABLE);
  const reveal = readReveal(params);
  const own_repairs = table.repairs;
  const shared = { only, table: table.state, reveal };
  if (is_empty) return { ...shared, own_repairs, found: null };

  const { reports } = event.locals;
  const whole = amountFilters(filters, range, as_of);
  const asked = { ...whole, ...only };
  const wanted = askedPage(table.state, params, MESSAGE_TABLE, PAGE_ROWS);
  const [page, totals] = await Promise.all([reports.chargedMessages(asked, wanted), reports.savings(asked)]);
  const nothing =
    page.rows.length > 0 || page.next !== null
      ? null
      : await noMessageDelivered(whole, only, names, range, (one) => reports.savings(one));
  return {
    ...shared,
    own_repairs: page.is_found ? own_repairs : [...own_repairs, { notice: lostPlace(MESSAGE_TABLE) }],
    found: {
      // Masked here and not in the page, so that hidden digits are not sent to the browser.
      rows: page.rows.map((row) => ({ ...row, customer: shownCustomer(row.customer, reveal) })),
      next: page.next,
      // Charges count the same messages.
      place: cursorPlace(
        page,
        wanted.limit,
        totals.reduce((sum, { volume }) => sum + volume, 0),
      ),
      nothing,
    },
  };
};

import { understood } from '$lib/filters/picked.ts';
import { filtersOf } from '$lib/navigation/pages.ts';
import { amountFilters } from '$lib/filters/api.ts';
import { moneyOf } from '$lib/mismatches/money.ts';
import { GROUP_TABLE, GROUP_VALUES, groupKey, isOfGroup, MISMATCH_TABLE, readGroup } from '$lib/mismatches/address.ts';
import { arranged, askedPage, cursorPlace, lostPlace, readTable } from '$lib/table/table.ts';
import { readAdNames } from '$lib/server/ad-names.ts';
import { askedLedger } from '$lib/server/ledger.ts';
import type { PageServerLoad } from './$types';

const PAGE_ROWS = 50;

export const load: PageServerLoad = async (event) => {
  const { filters, range, as_of, is_empty } = await askedLedger(event);
  const params = event.url.searchParams;
  const scope = understood(filters.only, filtersOf('/billing/mismatches'));
  const { only, repairs } = readGroup(params);
  const table = readTable(params, MISMATCH_TABLE);
  const shared = { scope, only, table: table.state };
  if (is_empty) return { ...shared, own_repairs: repairs, found: null };

  const { reports } = event.locals;
  const asked = { ...amountFilters(filters, range, as_of), ...scope };
  const wanted = askedPage(table.state, params, MISMATCH_TABLE, PAGE_ROWS);
  const [rows, reported_messages, messages] = await Promise.all([
    reports.mismatches(asked),
    reports.reportedMessages(asked),
    reports.mismatchedMessages({ ...asked, ...only }, wanted),
  ]);
  const groups = arranged(rows, params, GROUP_TABLE, GROUP_VALUES, groupKey);
  const notices = [...groups.notices, ...(messages.is_found ? [] : [lostPlace(MISMATCH_TABLE)])];
  return {
    ...shared,
    own_repairs: [...repairs, ...table.repairs, ...notices.map((notice) => ({ notice }))],
    found: {
      groups,
      mismatches: rows.reduce((sum, group) => sum + group.messages, 0),
      money: moneyOf(rows),
      reported_messages,
      // No column shows the customer, so it is not sent to the browser.
      messages: messages.rows.map(({ customer: _, ...message }) => message),
      next: messages.next,
      place: cursorPlace(
        messages,
        wanted.limit,
        rows.filter((group) => isOfGroup(group, only)).reduce((sum, group) => sum + group.messages, 0),
      ),
      ads: await readAdNames(
        reports,
        messages.rows.map(({ ad_id }) => ad_id),
      ),
    },
  };
};

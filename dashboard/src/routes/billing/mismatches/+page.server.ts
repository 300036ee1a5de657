import { error } from '@sveltejs/kit';

import { moneyOf } from '$lib/mismatches/money.ts';
import { GROUP_TABLE, GROUP_VALUES, groupKey, MISMATCH_TABLE, readGroup } from '$lib/mismatches/address.ts';
import { reportsOf } from '$lib/server/reports.ts';
import { arranged, lostPlace, readTable } from '$lib/table/table.ts';
import type { PageServerLoad } from './$types';

const PAGE_ROWS = 50;

export const load: PageServerLoad = async (event) => {
  const { status, filters, range, as_of } = await event.parent();
  if (status === null) error(503, 'The ledger does not answer');
  const params = event.url.searchParams;
  const { only, repairs } = readGroup(params);
  const table = readTable(params, MISMATCH_TABLE);
  const shared = { only, table: table.state };
  const empty = status.source === 'ledger' && status.events === 0;
  if (status.loading_sample || empty) return { ...shared, own_repairs: repairs, found: null };

  const reports = reportsOf(event);
  const asked = { ...range, tz: filters.tz, as_of };
  const [rows, overview, messages] = await Promise.all([
    reports.mismatches(asked, filters.sample),
    reports.overview(asked, filters.sample),
    reports.mismatchedMessages({ ...asked, ...only }, { ...table.state, limit: PAGE_ROWS }, filters.sample),
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
      reported_messages: overview.reported_messages,
      // No column shows the customer, and what is not to be seen is not sent either.
      messages: messages.rows.map(({ customer: _, ...message }) => message),
      next: messages.next,
    },
  };
};

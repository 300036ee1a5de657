import { error } from '@sveltejs/kit';

import { cursorAfter, readMismatchState } from '$lib/mismatches/address.ts';
import { reportsOf } from '$lib/server/reports.ts';
import type { PageServerLoad } from './$types';

const PAGE_ROWS = 50;

export const load: PageServerLoad = async (event) => {
  const { status, filters, range, as_of } = await event.parent();
  if (status === null) error(503, 'The ledger does not answer');
  const { state, notices } = readMismatchState(event.url.searchParams);
  const empty = status.source === 'ledger' && status.events === 0;
  if (status.loading_sample || empty) return { found: null, state, notices };

  const reports = reportsOf(event);
  const asked = { ...range, tz: filters.tz, as_of };
  const [groups, overview, messages] = await Promise.all([
    reports.mismatches(asked, filters.sample),
    reports.overview(asked, filters.sample),
    // One more than is shown says whether there is another page.
    reports.mismatchedMessages(asked, { ...state, limit: PAGE_ROWS + 1 }, filters.sample),
  ]);
  const shown = messages.slice(0, PAGE_ROWS);
  const last = shown.at(-1);
  return {
    found: {
      groups,
      reported_messages: overview.reported_messages,
      messages: shown,
      older: messages.length > shown.length && last !== undefined ? cursorAfter(last) : null,
    },
    state,
    notices,
  };
};

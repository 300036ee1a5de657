import { error } from '@sveltejs/kit';

import { readAsked } from '$lib/conversation/asked.ts';
import { shownCustomer } from '$lib/conversation/masking.ts';
import { noConversation } from '$lib/conversation/nothing.ts';
import { CONVERSATION_TABLE } from '$lib/conversation/table.ts';
import { reportsOf } from '$lib/server/reports.ts';
import { lostPlace, readTable } from '$lib/table/table.ts';
import type { PageServerLoad } from './$types';

const PAGE_ROWS = 50;

export const load: PageServerLoad = async (event) => {
  const { status, filters, range, as_of } = await event.parent();
  if (status === null) error(503, 'The ledger does not answer');
  const { asked, repairs } = readAsked(event.url.searchParams);
  const table = readTable(event.url.searchParams, CONVERSATION_TABLE);
  const { sort, after } = table.state;
  const empty = status.source === 'ledger' && status.events === 0;
  if (status.loading_sample || empty) return { asked, sort, own_repairs: repairs, list: null };
  const { q, ad, state } = asked;
  const reports = reportsOf(event);
  const days = { ...range, tz: filters.tz, as_of };
  const list = await reports.conversations(
    { filters: { ...days, q, ad, state }, page: { sort, after, limit: PAGE_ROWS } },
    filters.sample,
  );
  const nothing =
    list.rows.length > 0
      ? null
      : await noConversation(days, asked, list.messages.length > 0, range, (one) =>
          reports.conversations(one, filters.sample),
        );
  const ad_names = await reports.adNames(
    [...new Set(list.rows.map((row) => row.ad_id).filter((id) => id !== ''))],
    filters.sample,
  );
  const lost = list.is_found ? [] : [{ notice: lostPlace(CONVERSATION_TABLE) }];
  return {
    asked,
    sort,
    own_repairs: [...repairs, ...table.repairs, ...lost],
    list: {
      ...list,
      nothing,
      ad_names: Object.fromEntries(
        ad_names.filter((known) => known.ad_name !== '').map((known) => [known.ad_id, known.ad_name]),
      ),
      // Here and not in the page: what is not to be seen is not sent either.
      rows: list.rows.map((row) => ({ ...row, customer: shownCustomer(row.customer, asked.reveal) })),
    },
  };
};

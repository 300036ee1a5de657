import { readAsked } from '$lib/conversation/asked.ts';
import { shownCustomer } from '$lib/conversation/masking.ts';
import { noConversation } from '$lib/conversation/nothing.ts';
import { CONVERSATION_TABLE } from '$lib/conversation/table.ts';
import { zoneOf } from '$lib/filters/filters.ts';
import { understood } from '$lib/filters/picked.ts';
import { filtersOf } from '$lib/navigation/pages.ts';
import { askedPage, cursorPlace, lostPlace, readTable } from '$lib/table/table.ts';
import { readAdNames } from '$lib/server/ad-names.ts';
import { askedLedger } from '$lib/server/ledger.ts';
import type { PageServerLoad } from './$types';

const PAGE_ROWS = 50;

export const load: PageServerLoad = async (event) => {
  const { filters, range, names, as_of, is_empty } = await askedLedger(event);
  const { asked, repairs } = readAsked(event.url.searchParams);
  const table = readTable(event.url.searchParams, CONVERSATION_TABLE);
  const { sort } = table.state;
  const only = understood(filters.only, filtersOf('/conversations'));
  if (is_empty) return { asked, only, sort, own_repairs: repairs, list: null };
  const { q, state } = asked;
  const { reports } = event.locals;
  const days = { ...range, tz: zoneOf(filters), as_of };
  const page = askedPage(table.state, event.url.searchParams, CONVERSATION_TABLE, PAGE_ROWS);
  const conversations = { ...days, ...only, q, state };
  const [list, count] = await Promise.all([
    reports.conversations({ filters: conversations, page }),
    reports.conversationCount(conversations),
  ]);
  const nothing =
    list.rows.length > 0
      ? null
      : await noConversation(days, only, names, asked, list.messages.length > 0, range, (one) =>
          reports.conversations(one),
        );
  const ad_names = await readAdNames(
    reports,
    list.rows.map((row) => row.ad_id),
  );
  const lost = list.is_found ? [] : [{ notice: lostPlace(CONVERSATION_TABLE) }];
  return {
    asked,
    only,
    sort,
    own_repairs: [...repairs, ...table.repairs, ...lost],
    list: {
      ...list,
      place: cursorPlace(list, page.limit, count),
      nothing,
      ad_names,
      // Masked here and not in the page, so that hidden digits are not sent to the browser.
      rows: list.rows.map((row) => ({ ...row, customer: shownCustomer(row.customer, asked.reveal) })),
    },
  };
};

import { textIn } from '@ctwa-ledger/schemas/address-parameters.ts';
import { error } from '@sveltejs/kit';

import { accountLabel } from '$lib/close/words.ts';
import { monthLabel } from '$lib/format/dates.ts';
import { askedLedger } from '$lib/server/ledger.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  await askedLedger(event);
  const closing = textIn(event.url.searchParams, 'closing');
  const printed = await event.locals.reports.printedMonth(closing);
  if (printed === null) error(404, 'There is no report of such a closing.');
  const { report } = printed;
  return {
    printed,
    sheet: {
      title: `Report of ${monthLabel(report.month)}, ${accountLabel(report.waba_id)}`,
      state: `Closed ${report.closed_at.slice(0, 10)} by ${report.closed_by}`,
      foot: `SHA-256 ${report.checksum}`,
    },
  };
};

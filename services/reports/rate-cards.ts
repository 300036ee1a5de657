import { listedCardSchema } from '@ctwa-ledger/schemas/rate-cards.ts';
import { tablesOf } from '../imports/register.ts';
import { listRateCards, RATE_CARDS } from '../rating/rate-cards.ts';
import { whole } from './report.ts';

export const rateCardsReport = whole({
  name: 'rate-cards',
  one_row_per: 'imported rate card, whatever became of it',
  row: listedCardSchema,
  days: 'none',
  filters: [],
  settles: [],
  reads: tablesOf(RATE_CARDS),
  key: ['card_id'],
  rows: (database) => listRateCards(database),
});

import type { ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import type { AdConversationRow } from '@ctwa-ledger/schemas/conversations.ts';
import type { Reports } from '@ctwa-ledger/schemas/reports.ts';

import { answerCosts, summedAnswers, weekHours, type AnswerCost, type Answers, type WeekHour } from '../ads/answers.ts';
import type { AdLine } from '../ads/figures.ts';
import { shownCustomer } from '../conversation/masking.ts';

/** Waiting conversations that are listed. */
const MAX_WAITING = 10;
/** Waiting conversations that are read: a later entry may give a conversation more time than its first entry does. */
const READ_WAITING = 50;

/** The conversations of one ad, or of all ads, as the page shows them. */
export interface AdDetails {
  /** Null when no conversation began. */
  readonly answers: Answers | null;
  readonly costs: readonly AnswerCost[];
  readonly hours: readonly WeekHour[];
  /** Sorted by the time left, with customers as they are shown. */
  readonly waiting: readonly AdConversationRow[];
  readonly is_more_waiting: boolean;
}

/** @param lines the ads of the page; costs are computed for a single one only */
export async function readDetails(
  reports: Pick<Reports, 'adAnswers' | 'adHours' | 'conversations'>,
  asked: ReportFilters,
  lines: readonly AdLine[],
): Promise<AdDetails> {
  const [rows, hours, pending] = await Promise.all([
    reports.adAnswers(asked),
    reports.adHours(asked),
    reports.conversations({
      filters: { ...asked, state: 'pending' },
      page: { sort: { column: 'entry_at', descending: false }, after: '', limit: READ_WAITING },
    }),
  ]);
  const answers = summedAnswers(rows);
  const [only, ...others] = lines;
  const waiting = pending.rows.toSorted((one, other) => one.last_entry_at - other.last_entry_at);
  return {
    answers,
    costs: answers === null || only === undefined || others.length > 0 ? [] : answerCosts(only.amounts, answers),
    hours: weekHours(hours),
    waiting: waiting.slice(0, MAX_WAITING).map((row) => ({ ...row, customer: shownCustomer(row.customer, false) })),
    is_more_waiting: waiting.length > MAX_WAITING || pending.next !== null,
  };
}

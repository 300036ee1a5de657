import type { AdMessagesRow } from '@ctwa-ledger/schemas/ad-steps.ts';
import type { ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import type { Reports } from '@ctwa-ledger/schemas/reports.ts';

import { answerCosts, summedAnswers, weekHours, type AnswerCost, type Answers, type WeekHour } from '../ads/answers.ts';
import type { AdLine } from '../ads/figures.ts';
import { summedSteps, type Step } from '../ads/steps.ts';
import { readWaiting, type Waiting } from './waiting.ts';

/** Waiting conversations that are listed. */
const MAX_WAITING = 10;

/** The conversations of one ad, or of all ads, as the page shows them. */
export interface AdDetails extends Waiting {
  /** Null when no conversation began. */
  readonly answers: Answers | null;
  readonly costs: readonly AnswerCost[];
  readonly hours: readonly WeekHour[];
  readonly steps: readonly Step[];
  /** By ad and currency. */
  readonly messages: readonly AdMessagesRow[];
}

/** @param lines the ads of the page; costs are computed for a single one only */
export async function readDetails(
  reports: Pick<Reports, 'adAnswers' | 'adHours' | 'adSteps' | 'adMessages' | 'conversations'>,
  asked: ReportFilters,
  lines: readonly AdLine[],
): Promise<AdDetails> {
  const [rows, hours, steps, messages, waiting] = await Promise.all([
    reports.adAnswers(asked),
    reports.adHours(asked),
    reports.adSteps(asked),
    reports.adMessages(asked),
    readWaiting(reports, asked, MAX_WAITING),
  ]);
  const answers = summedAnswers(rows);
  const [only, ...others] = lines;
  return {
    answers,
    costs: answers === null || only === undefined || others.length > 0 ? [] : answerCosts(only.amounts, answers),
    hours: weekHours(hours),
    steps: summedSteps(steps),
    messages,
    ...waiting,
  };
}

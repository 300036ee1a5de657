import { REPLY_BANDS, type AdAnswersRow, type AdHoursRow } from '@ctwa-ledger/schemas/ad-answers.ts';

import { divideDecimals, timesDecimal } from '../format/decimals.ts';
import type { AdAmounts } from './figures.ts';

/** What became of the conversations of one or several ads. */
export type Answers = Omit<AdAnswersRow, 'ad_id' | 'source_type'>;

/** The sum of several ads' rows; null when no conversation began. */
export function summedAnswers(rows: readonly AdAnswersRow[]): Answers | null {
  const [first, ...others] = rows;
  if (first === undefined) return null;
  const { ad_id: _, source_type: __, ...sum } = first;
  for (const row of others) for (const column of Object.keys(sum) as (keyof Answers)[]) sum[column] += row[column];
  return sum;
}

const BAND_NAMES: Readonly<Record<(typeof REPLY_BANDS)[number], string>> = {
  under_1_min: 'Less than 1 minute',
  under_5_min: '1 to 5 minutes',
  under_1_h: '5 to 60 minutes',
  over_1_h: 'More than 1 hour',
  never: 'Not within 24 hours',
};

/** A band of time to the first reply: its conversations, and those in which the customer then took part. */
export interface Band {
  readonly name: string;
  readonly conversations: number;
  /** Null when there was no reply. */
  readonly engaged: number | null;
}

export function bandsOf(answers: Answers): Band[] {
  return REPLY_BANDS.map((band) => ({
    name: BAND_NAMES[band],
    conversations: answers[`replied_${band}`],
    engaged: band === 'never' ? null : answers[`engaged_${band}`],
  }));
}

/** The steps from entry to second message; each is a part of the one before. */
export function stepsOf(answers: Answers): readonly { readonly name: string; readonly conversations: number }[] {
  return [
    { name: 'Conversations started', conversations: answers.ad_conversations },
    { name: 'Answered within 24 h', conversations: answers.replied },
    { name: 'Customer wrote again', conversations: answers.wrote_again },
    { name: 'Engaged: wrote again twice or more', conversations: answers.engaged },
  ];
}

/** Amounts of one currency; null when the divisor is 0. */
export interface AnswerCost {
  readonly currency: string;
  readonly per_first_contact: string | null;
  readonly per_engaged: string | null;
  /** The share of the spend for conversations that were not answered in time. */
  readonly unanswered: string | null;
}

/** The cost per answer for one ad. For several ads there is none, because some may have no known cost. */
export function answerCosts(amounts: readonly AdAmounts[], answers: Answers): AnswerCost[] {
  return amounts.flatMap(({ currency, spend }) =>
    spend === null
      ? []
      : [
          {
            currency,
            per_first_contact: divideDecimals(spend, String(answers.first_contacts)),
            per_engaged: divideDecimals(spend, String(answers.engaged)),
            unanswered: divideDecimals(timesDecimal(spend, answers.replied_never), String(answers.ad_conversations)),
          },
        ],
  );
}

/** An hour of the day on the seven days of the week, Monday first. */
export interface WeekHour {
  readonly hour: number;
  readonly entries: readonly number[];
  readonly replies: readonly number[];
}

/** All 24 hours, also those in which nothing happened. */
export function weekHours(rows: readonly AdHoursRow[]): WeekHour[] {
  const at = new Map(rows.map((row) => [`${row.weekday} ${row.hour_of_day}`, row]));
  const days = [1, 2, 3, 4, 5, 6, 7];
  return Array.from({ length: 24 }, (_, hour) => ({
    hour,
    entries: days.map((day) => at.get(`${day} ${hour}`)?.entries ?? 0),
    replies: days.map((day) => at.get(`${day} ${hour}`)?.first_replies ?? 0),
  }));
}

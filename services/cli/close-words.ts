import {
  CHECK_NAMES,
  ChecklistWords,
  sayVerdict,
  STATE_WORDS,
  VERDICT_WORDS,
} from '@ctwa-ledger/schemas/checklist-words.ts';
import type { Examination, Period } from '@ctwa-ledger/schemas/periods.ts';
import { accountName } from '../periods/month.ts';

/** In the form of reports: sortable days and exact amounts. */
const WORDS = new ChecklistWords({
  count: String,
  money: (decimal, currency) => `${currency} ${decimal}`,
  difference: (decimal, currency) => `difference ${currency} ${decimal}`,
  day: (day) => day,
  month: (month) => month,
});

const INDENT = '  ';
const STATE_WIDTH = Math.max(...Object.values(STATE_WORDS).map(({ length }) => length));

/** The checklist of a month as lines for a person: the verdict, then every item with its state. */
export function examinationLines(waba_id: string, month: string, examination: Examination): string[] {
  const { verdict, because, checklist, findings } = examination;
  return [
    `${month} of ${accountName(waba_id)}. ${sayVerdict(verdict, because)}.`,
    ...checklist.map(
      (check) =>
        `${INDENT}${STATE_WORDS[check.state].padEnd(STATE_WIDTH)}  ${CHECK_NAMES[check.check]}: ${WORDS.say(check)}`,
    ),
    ...findings.map((finding) => `${INDENT}- ${WORDS.sayFinding(finding)}`),
  ];
}

/** A closing as lines for a person. */
export function periodLines(period: Period): string[] {
  const totals = period.totals.map(
    ({ currency, billed_cost, unrated }) =>
      `${currency === '' ? 'no currency' : `${currency} ${billed_cost}`}${unrated === '0' ? '' : `, ${unrated} without a price`}`,
  );
  const { verdict, note, reopened_at, reopened_because, requested_by } = period;
  return [
    `${period.month} of ${accountName(period.waba_id)}, closed ${period.closed_at} by ${period.closed_by}${requested_by === '' ? '' : `, asked for by ${requested_by}`}${reopened_at === null ? '' : ', and open again'}.`,
    `${INDENT}${period.messages} ${period.messages === 1 ? 'message' : 'messages'}, expected charge ${totals.join('; ') || 'none'}.${verdict === '' ? '' : ` ${VERDICT_WORDS[verdict]}.`}`,
    `${INDENT}Id ${period.period_id}, checksum ${period.checksum}.`,
    ...(note === '' ? [] : [`${INDENT}Note: ${note}`]),
    ...(reopened_at === null
      ? []
      : [
          `${INDENT}Reopened ${reopened_at} by ${period.reopened_by}${reopened_because === '' ? '' : `: ${reopened_because}`}.`,
        ]),
  ];
}

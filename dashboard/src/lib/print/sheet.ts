import type { Closing } from '@ctwa-ledger/schemas/periods.ts';

import type { AccountName } from '@ctwa-ledger/schemas/reports.ts';
import { accountLabel, closedLabel } from '../close/words.ts';
import { rangeLabel, timeLabel } from '../format/dates.ts';
import type { DayRange } from '../filters/range.ts';

/** The texts in the margins of printed sheets, beside the number of the sheet. */
export interface Sheet {
  readonly title: string;
  /** What the sheet is about, and whether its figures can still change. */
  readonly state: string;
  readonly foot: string;
}

/** A page that is printed. */
interface PrintedPage {
  /** Of the document. */
  readonly title: string;
  /** The chosen account; null = all of them. */
  readonly waba_id: string | null;
  /** Names of accounts. */
  readonly accounts: readonly AccountName[];
  /** The days on the page; null when it shows none. */
  readonly range: DayRange | null;
  readonly closings: readonly Pick<Closing, 'month' | 'closed_at' | 'closed_by'>[];
  readonly is_sample: boolean;
  /** When the page was read, Unix seconds. */
  readonly read_at: number;
}

function stateOf({ closings, is_sample }: PrintedPage): string {
  if (is_sample) return 'sample data';
  const [only, ...others] = closings;
  if (only === undefined) return 'live';
  return others.length === 0 ? closedLabel(only) : `${closings.length} closed months`;
}

export function sheetOf(page: PrintedPage): Sheet {
  const title = page.title.replace(/ · CTWA Ledger$/, '');
  const days = page.range === null || title.includes(rangeLabel(page.range)) ? [] : [rangeLabel(page.range)];
  const account = page.waba_id === null ? 'all accounts' : accountLabel(page.waba_id, page.accounts);
  return {
    title: ['CTWA Ledger', title, ...days].join(', '),
    state: page.range === null ? '' : `${account}, ${stateOf(page)}`,
    foot: `As of ${timeLabel(new Date(page.read_at * 1000).toISOString())} UTC`,
  };
}

const quoted = (text: string): string => `"${text.replaceAll(/["\\\n]/g, ' ')}"`;

/**
 * Hands the texts to the style sheet: the margins of printed sheets take theirs from the document.
 * @param style of the document's root
 */
export function showOnSheets(style: { setProperty(name: string, value: string): void }, sheet: Sheet): void {
  style.setProperty('--sheet-title', quoted(sheet.title));
  style.setProperty('--sheet-state', quoted(sheet.state));
  style.setProperty('--sheet-foot', quoted(sheet.foot));
}

const MARKS: ReadonlyMap<string, string> = new Map([
  ['BILLABLE', 'Billable'],
  ['FREE_ENTRY', 'Free entry'],
  ['FREE_SERVICE', 'Free service'],
  ['COVERED', 'Covered'],
  ['UNKNOWN', 'Unknown'],
  ['UNDELIVERED', 'Undelivered'],
]);

/** A mark for people; an unknown one stays as it is. */
export function markName(mark: string): string {
  return MARKS.get(mark) ?? mark;
}

/** The marks of delivered messages. */
const DELIVERED_MARKS = ['BILLABLE', 'FREE_ENTRY', 'FREE_SERVICE', 'COVERED', 'UNKNOWN'] as const;

/** The mark of delivered messages in a text, in any letter case; null when it is none. */
export function deliveredMark(text: string): string | null {
  return DELIVERED_MARKS.find((known) => known === text.toUpperCase()) ?? null;
}

/** rules.md V1. */
const PRICING_TYPES: ReadonlyMap<string, string> = new Map([
  ['BILLABLE', 'regular'],
  ['FREE_ENTRY', 'free_entry_point'],
  ['FREE_SERVICE', 'free_customer_service'],
]);

/** Meta's `pricing.type` for a mark; empty when there is none. */
export function pricingType(mark: string): string {
  return PRICING_TYPES.get(mark) ?? '';
}

/** A category for people, like `authentication_international`. */
export function categoryName(category: string): string {
  const words = category.replaceAll('_', ' ');
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

/** Files offered in a file dialog: workbooks, and CSV under its usual names. The content decides what a file is. */
export const SHEET_FILES =
  '.csv,.txt,.tsv,.xlsx,text/csv,text/plain,application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';

/** The meaning of the columns of reply rates. */
export const REPLY_RATE_MEANING = 'Share of the mature ad conversations that were answered within 24 h.';

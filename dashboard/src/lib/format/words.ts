const MARKS: ReadonlyMap<string, string> = new Map([
  ['BILLABLE', 'Billable'],
  ['FREE_ENTRY', 'Free entry'],
  ['FREE_SERVICE', 'Free service'],
  ['COVERED', 'Covered'],
  ['UNKNOWN', 'Unknown'],
  ['UNDELIVERED', 'Undelivered'],
]);

/** A mark as people read it; one that this page does not know stays as it is. */
export function markName(mark: string): string {
  return MARKS.get(mark) ?? mark;
}

/** Delivered messages have no other mark. */
const DELIVERED_MARKS = ['BILLABLE', 'FREE_ENTRY', 'FREE_SERVICE', 'COVERED', 'UNKNOWN'] as const;

/** The mark of delivered messages that a text names, in whatever case; null: it names none. */
export function deliveredMark(text: string): string | null {
  return DELIVERED_MARKS.find((known) => known === text.toUpperCase()) ?? null;
}

/** rules.md V1. */
const PRICING_TYPES: ReadonlyMap<string, string> = new Map([
  ['BILLABLE', 'regular'],
  ['FREE_ENTRY', 'free_entry_point'],
  ['FREE_SERVICE', 'free_customer_service'],
]);

/** Meta's `pricing.type` of a mark; empty where it has none. */
export function pricingType(mark: string): string {
  return PRICING_TYPES.get(mark) ?? '';
}

/** `authentication_international` as people read it. */
export function categoryName(category: string): string {
  const words = category.replaceAll('_', ' ');
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

/** Files that a person may choose: CSV under its usual names, and workbooks. What a file is shows in its content. */
export const SHEET_FILES =
  '.csv,.txt,.tsv,.xlsx,text/csv,text/plain,application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';

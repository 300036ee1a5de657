import type { JudgedRow } from './differences.ts';

/** From this day on service messages are charged (rules.md 3), so that an account can be exempt from paying for them. */
const CHARGED_FROM = '2026-10-01';

/** Whether a row is of service messages that are charged on one of the sides. */
export function isChargedService({ category, pricing_type }: Pick<JudgedRow, 'category' | 'pricing_type'>): boolean {
  return category === 'SERVICE' && pricing_type === 'REGULAR';
}

/**
 * The days from which Meta charges no service message of the account in the month, as it does where the account is
 * exempt: a row is of such a day when Meta charges none on that day or a later one. Pure.
 * @param rows all rows of the month
 */
export function exemptDays(rows: readonly JudgedRow[]): (day: string) => boolean {
  const charged = rows.filter(
    (row) => isChargedService(row) && row.meta_volume > 0n && (row.meta_cost === null || row.meta_cost > 0n),
  );
  const last = charged.reduce((latest, { day }) => (day > latest ? day : latest), '');
  const isWholeMonth = rows.some(({ day }) => day === '');
  return (day) => (isWholeMonth ? charged.length === 0 : day >= CHARGED_FROM && day > last);
}

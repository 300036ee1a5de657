import type { TypedSpend } from '@ctwa-ledger/schemas/spend.ts';

import { isDay } from '../filters/days.ts';

/** The fields of the form as text. */
export interface TypedTexts {
  readonly ad_id: string;
  readonly ad_name: string;
  readonly first_day: string;
  readonly last_day: string;
  readonly amount: string;
  readonly currency: string;
}

export const NOTHING_TYPED: TypedTexts = {
  ad_id: '',
  ad_name: '',
  first_day: '',
  last_day: '',
  amount: '',
  currency: '',
};

const MAX_NAME_CHARACTERS = 500;
/** Amounts that the ledger can store: Decimal(18, 8). */
const AMOUNT = /^\d{1,10}(\.\d{1,8})?$/;

const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));

/** The typed amount, or why it cannot be stored. */
export function readTyped(
  texts: TypedTexts,
): { readonly ok: true; readonly typed: TypedSpend } | { readonly ok: false; readonly problem: string } {
  const no = (problem: string) => ({ ok: false as const, problem });
  const currency = texts.currency.toUpperCase();
  if (!/^\d{1,30}$/.test(texts.ad_id)) return no('The id of an ad has digits only; Ads Manager shows it as Ad ID.');
  if (texts.ad_name.length > MAX_NAME_CHARACTERS)
    return no(`The name is longer than ${MAX_NAME_CHARACTERS} characters.`);
  if (!isDay(texts.first_day) || !isDay(texts.last_day)) return no('Say the first and the last day of the amount.');
  if (texts.first_day > texts.last_day) return no('The last day is before the first one.');
  if (!AMOUNT.test(texts.amount))
    return no('Write the amount as a plain decimal like 1234.50: no thousands separators, at most 8 decimals.');
  if (!CURRENCIES.has(currency)) return no('The currency has three letters (ISO 4217), like BRL.');
  return {
    ok: true,
    typed: {
      ad_id: texts.ad_id,
      ad_name: texts.ad_name,
      first_day: texts.first_day,
      last_day: texts.last_day,
      currency,
      amount: texts.amount,
    },
  };
}

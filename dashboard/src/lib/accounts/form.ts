import type { ListedAccount } from '@ctwa-ledger/schemas/changes.ts';
import { accountSchema, type Account } from '@ctwa-ledger/schemas/config.ts';

import { zoneName } from '../filters/zones.ts';

/** The fields of the form as they were typed, so that they can be corrected in place. */
export interface AccountTexts {
  readonly waba_id: string;
  readonly name: string;
  readonly time_zone: string;
  readonly currency: string;
  readonly portfolio_id: string;
  /** Business numbers, with spaces or commas between. */
  readonly phone_number_ids: string;
  /** Earliest day of the next month on which a month can be closed. */
  readonly closing_day: string;
}

export function textsOf(account: Account): AccountTexts {
  return {
    waba_id: account.waba_id,
    name: account.name ?? '',
    time_zone: account.time_zone ?? '',
    currency: account.currency ?? '',
    portfolio_id: account.portfolio_id ?? '',
    phone_number_ids: (account.phone_number_ids ?? []).join(', '),
    closing_day: account.closing_day === undefined ? '' : String(account.closing_day),
  };
}

/** The account in the form. */
export interface EditedAccount {
  readonly texts: AccountTexts;
  /** Whether it exists already, so that its id cannot change. */
  readonly isNamed: boolean;
  /** What commands set of it, in sentences: the controls of its month close, and for how long events are kept. */
  readonly controls: readonly string[];
}

function controlsOf(account: Account | undefined): string[] {
  const { tolerance_percent = '0.5', tolerance_messages = 1, currency = '' } = account ?? {};
  const { write_off_amount, write_off_messages, second_person, keep_events_months } = account ?? {};
  const limits = [
    ...(write_off_amount === undefined ? [] : [`${currency} ${write_off_amount}`.trim()]),
    ...(write_off_messages === undefined ? [] : [`a difference of ${write_off_messages}`]),
  ];
  return [
    `Volumes may differ from Meta’s by ${tolerance_percent} % or ${tolerance_messages}, whichever is more.`,
    limits.length === 0 ? 'Nothing can be written off.' : `In a month ${limits.join(' and ')} can be written off.`,
    second_person === true ? 'A second person confirms a closing.' : 'One person closes a month.',
    keep_events_months === undefined
      ? 'Events are kept for good.'
      : `Events of closed months are removed after ${keep_events_months} months.`,
  ];
}

export function edited(texts: AccountTexts, accounts: readonly ListedAccount[]): EditedAccount {
  const listed = accounts.find(({ account }) => account.waba_id === texts.waba_id);
  return {
    texts,
    isNamed: texts.waba_id !== '' && listed !== undefined,
    controls: controlsOf(listed?.account),
  };
}

export type ReadAccount =
  { readonly ok: true; readonly account: Account } | { readonly ok: false; readonly problem: string };

/** Reads the fields; an empty one is left out of the account. */
export function readAccount(texts: AccountTexts): ReadAccount {
  if (!/^\d+$/.test(texts.waba_id))
    return { ok: false, problem: 'The account’s id is the number that Meta gives it, digits only.' };
  const numbers = texts.phone_number_ids.split(/[\s,;]+/).filter((number) => number !== '');
  if (texts.closing_day !== '' && !/^([1-9]|1\d|2[0-8])$/.test(texts.closing_day))
    return { ok: false, problem: 'The earliest closing day is a day of the month from 1 to 28.' };
  const parsed = accountSchema.safeParse({
    waba_id: texts.waba_id,
    ...(texts.name === '' ? {} : { name: texts.name }),
    ...(texts.time_zone === '' ? {} : { time_zone: zoneName(texts.time_zone) ?? texts.time_zone }),
    ...(texts.currency === '' ? {} : { currency: texts.currency.toUpperCase() }),
    ...(texts.portfolio_id === '' ? {} : { portfolio_id: texts.portfolio_id }),
    ...(texts.closing_day === '' ? {} : { closing_day: Number(texts.closing_day) }),
    ...(numbers.length === 0 ? {} : { phone_number_ids: numbers }),
  });
  if (parsed.success) return { ok: true, account: parsed.data };
  const message = parsed.error.issues[0]?.message ?? 'The account cannot be read';
  return { ok: false, problem: `${message.charAt(0).toUpperCase()}${message.slice(1)}.` };
}

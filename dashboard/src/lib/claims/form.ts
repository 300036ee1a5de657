import type { ClaimAction } from '@ctwa-ledger/schemas/claims.ts';

/** The texts that were typed in the form of a new claim, so that they need not be typed again. */
export interface ClaimTexts {
  readonly waba_id: string;
  readonly month: string;
  readonly explanation: string;
  readonly amount: string;
  readonly currency: string;
  readonly reference: string;
  readonly note: string;
  readonly by: string;
}

/** The texts that were typed in the form of a claim's change. */
export interface ChangeTexts {
  readonly action: string;
  readonly reference: string;
  readonly credit: string;
  readonly amount: string;
  readonly note: string;
  readonly by: string;
}

export const NOTHING_HAPPENED: ChangeTexts = {
  action: 'refer',
  reference: '',
  credit: '',
  amount: '',
  note: '',
  by: '',
};

/** The changes of a claim, as the form names them. */
export const CHANGE_WORDS: Readonly<Record<Exclude<ClaimAction, 'make'>, string>> = {
  refer: 'It has a case number',
  grant: 'A credit is promised',
  refuse: 'It was refused',
  pay: 'A credit memo paid it',
  withdraw: 'It is taken back',
};

/** The body of a change, with only the fields that its action takes: the others may hold texts left in the form. */
export function changeOf({ credit, amount, ...texts }: ChangeTexts): Readonly<Record<string, string>> {
  return texts.action === 'pay' ? { ...texts, credit, amount } : texts;
}

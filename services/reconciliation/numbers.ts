import type { Account } from '@ctwa-ledger/schemas/config.ts';

/** The displayed forms of business numbers, which are the only names in Meta's analytics. */
export interface NumberNames {
  /** Digits of the displayed number, by our id. */
  readonly displayOf: ReadonlyMap<string, string>;
}

/** The known displayed numbers of all accounts, because a number may have moved between accounts. */
export function numberNames(accounts: readonly Account[]): NumberNames {
  return {
    displayOf: new Map(
      accounts.flatMap(({ phone_numbers = [] }) => phone_numbers.map(({ id, display }) => [id, display] as const)),
    ),
  };
}

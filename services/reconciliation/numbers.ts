import type { Account } from '@ctwa-ledger/schemas/config.ts';

/** How business numbers are displayed, which is all that Meta's analytics call them by. */
export interface NumberNames {
  /** Digits of the displayed number, by our id. */
  readonly displayOf: ReadonlyMap<string, string>;
}

/** The displayed numbers that are known, of all accounts: one may have moved. */
export function numberNames(accounts: readonly Account[]): NumberNames {
  return {
    displayOf: new Map(
      accounts.flatMap(({ phone_numbers = [] }) => phone_numbers.map(({ id, display }) => [id, display] as const)),
    ),
  };
}

import type { AccountName } from '@ctwa-ledger/schemas/reports.ts';
import type { Suggested, Suggestion } from '@ctwa-ledger/schemas/suggestions.ts';

import { categoryName, markName } from '../format/words.ts';
import { accountName, numberName } from './picked.ts';

/** Suggestions as a field offers them: names instead of ids where an id can be found by its name. */
export function suggestionsFor(
  of: Suggested,
  text: string,
  accounts: readonly AccountName[],
  found: readonly Suggestion[],
): Suggestion[] {
  switch (of) {
    case 'billing':
      return found.map(({ value }) => ({ value: markName(value), name: '' }));
    case 'category':
      return found.map(({ value }) => ({ value: categoryName(value), name: '' }));
    case 'phone_number_id':
      return found.map(({ value }) => {
        const name = numberName(value, accounts);
        return name === value ? { value, name: '' } : { value: name, name: value };
      });
    case 'waba_id': {
      // The ledger's rows have ids only; accounts are also found by their names.
      const wanted = text.toLocaleLowerCase();
      const named = accounts.filter(({ name }) => name?.toLocaleLowerCase().includes(wanted) === true);
      return [...new Set([...named.map(({ waba_id }) => waba_id), ...found.map(({ value }) => value)])].map(
        (waba_id) => {
          const name = accountName(waba_id, accounts);
          return name === waba_id ? { value: waba_id, name: '' } : { value: name, name: waba_id };
        },
      );
    }
    default:
      return [...found];
  }
}

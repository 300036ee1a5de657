import type { EffectiveDays } from '@ctwa-ledger/schemas/rate-cards.ts';
import { ActionableError } from '../clickhouse/errors.ts';

/** The day from which the rates of a file are in force is not known. Nothing of the file was imported. */
export class EffectiveDayError extends ActionableError {
  readonly days: EffectiveDays;

  constructor(name: string, days: EffectiveDays) {
    const said = days.said.join(' and ');
    const why =
      days.given !== null
        ? `says itself that it is effective ${said}, but --effective ${days.given} was given, so nothing of it was imported: leave out --effective, or add --effective-anyway to take ${days.given}.`
        : days.said.length > 1
          ? `names several days (effective ${said}), so nothing of it was imported: say which one with --effective YYYY-MM-DD.`
          : `does not say from which day its rates are in force, so nothing of it was imported: add --effective YYYY-MM-DD, or above its header a line like "effective October 1, 2026".`;
    super(`${name} ${why}`);
    this.days = days;
  }
}

/**
 * The day from which a card is in force: the given one, else the one that the file names (contract.md 6).
 * @param said the days that the file names
 * @throws EffectiveDayError when there is none, or the two differ
 */
export function effectiveDayOf(
  file: { readonly name: string; readonly effective?: string; readonly effective_anyway?: boolean },
  said: readonly string[],
): string {
  const { effective: given } = file;
  const [only] = said;
  if (given === undefined && only !== undefined && said.length === 1) return only;
  if (given !== undefined && (said.length === 0 || said.includes(given) || file.effective_anyway === true))
    return given;
  throw new EffectiveDayError(file.name, { given: given ?? null, said });
}

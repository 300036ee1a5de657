import { sayCase } from '@ctwa-ledger/schemas/case-words.ts';
import type { CaseEntry, CaseRow } from '@ctwa-ledger/schemas/cases.ts';

const INDENT = '  ';

/** A case as lines for a person, with sortable days and exact amounts. */
export function caseLines(one: CaseRow & { readonly history: readonly CaseEntry[] }): string[] {
  const { waba_id, month, explanation, rows, gross_volume_difference, currency, gross_cost_difference } = one;
  const amount = gross_cost_difference === null ? 'amount not known' : `${currency} ${gross_cost_difference}`.trim();
  return [
    `${explanation}, ${month} of account ${waba_id}. ${sayCase(one, (day) => day)}`,
    `${INDENT}${rows} ${rows === 1 ? 'row' : 'rows'}, ${gross_volume_difference} in volume, ${amount}, row by row. Age ${one.age_days} ${one.age_days === 1 ? 'day' : 'days'}${one.assignee === '' ? '' : `, with ${one.assignee}`}.`,
    ...one.history.map(
      ({ at, by, action, note, until, assignee }) =>
        `${INDENT}- ${at} ${by}: ${action}${until === '' ? '' : ` until ${until}`}${action === 'assign' ? ` to ${assignee === '' ? 'nobody' : assignee}` : ''}${note === '' ? '' : `: ${note}`}`,
    ),
  ];
}

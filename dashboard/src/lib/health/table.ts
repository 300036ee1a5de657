import {
  LETTER_COLUMNS,
  type DeadLetterRow,
  type LetterColumn,
  type WaitingLettersRow,
} from '@ctwa-ledger/schemas/health.ts';

import type { TableSpec, Value } from '../table/table.ts';

/** Rejected inputs one by one, sorted and paged by the ledger. */
export const LETTER_TABLE: TableSpec<LetterColumn> = {
  id: 'letters',
  is_main: true,
  columns: LETTER_COLUMNS,
  words_first: ['source', 'code'],
  default_sort: { column: 'first_seen_at', descending: true },
};

/** Key of a letter. */
export const letterKey = (letter: DeadLetterRow): string =>
  `${letter.partition} ${letter.position} ${letter.content_hash} ${letter.source}`;

const REASON_COLUMNS = ['code', 'letters', 'first_seen_at', 'last_seen_at'] as const;
export type ReasonColumn = (typeof REASON_COLUMNS)[number];

/** Rejected inputs by reason. */
export const REASON_TABLE: TableSpec<ReasonColumn> = {
  id: 'reasons',
  columns: REASON_COLUMNS,
  words_first: ['code'],
  default_sort: { column: 'letters', descending: true },
};

export const REASON_VALUES: Readonly<Record<ReasonColumn, (row: WaitingLettersRow) => Value>> = {
  code: (row) => row.code,
  letters: (row) => row.letters,
  first_seen_at: (row) => row.first_seen_at,
  last_seen_at: (row) => row.last_seen_at,
};

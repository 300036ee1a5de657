/** An import as the tables of the page list it. */
export interface Registered {
  readonly import_id: string;
  readonly name: string;
  readonly imported_at: string;
  readonly imported_by: string;
  readonly state: keyof typeof STATE_WORDS;
  readonly first_day: string | null;
  readonly last_day: string | null;
  /** Whose midnight separates its days, if that can differ. */
  readonly days?: string;
}

/** A column of such a table. */
export interface RegisterColumn {
  readonly column: string;
  readonly name: string;
  /** Whether it has words and is left-aligned. */
  readonly text?: boolean;
  /** Its meaning, if it differs from that of the column with this name in reports. */
  readonly meaning?: string;
}

export const STATE_WORDS = { holds: 'in force', replaced: 'replaced by later ones', withdrawn: 'withdrawn' } as const;

/** The last columns of every such table. */
export const STATE_COLUMN = {
  column: 'state',
  name: 'State',
  meaning: 'Whether it counts, was replaced, or was withdrawn.',
  text: true,
} as const satisfies RegisterColumn;
export const WITHDRAW_COLUMN = {
  column: 'withdraw',
  name: 'Withdraw',
  meaning: 'Takes it back: what it replaced counts again.',
  text: true,
} as const satisfies RegisterColumn;

import type { ClaimAction, ClaimState } from '@ctwa-ledger/schemas/claims.ts';

/** Something that happened to a claim. Of two of one revision the first holds. */
export interface ClaimEntry {
  readonly entry_id: string;
  readonly revision: number;
  /** Unix milliseconds. */
  readonly at: number;
  readonly by: string;
  readonly action: ClaimAction;
  readonly note: string;
  /** Of the twelfth decimal. `make`: what is claimed; `pay`: what was paid. */
  readonly amount: bigint;
  readonly reference: string;
  readonly credit: string;
}

/** Where a claim stands. */
export interface ClaimStanding {
  readonly state: ClaimState;
  readonly claimed: bigint;
  readonly recovered: bigint;
  readonly reference: string;
  readonly credits: readonly string[];
  readonly made: ClaimEntry;
  readonly last: ClaimEntry;
}

/** The entries that hold, one of each revision, in their order. */
export function entriesInForce(entries: readonly ClaimEntry[]): readonly ClaimEntry[] {
  const first = new Map<number, ClaimEntry>();
  for (const one of entries.toSorted((a, b) => a.at - b.at || (a.entry_id < b.entry_id ? -1 : 1)))
    if (!first.has(one.revision)) first.set(one.revision, one);
  return [...first.values()].toSorted((a, b) => a.revision - b.revision);
}

/** What can happen to a claim in each state. A refused one is made anew by being granted, or paid all the same. */
const ALLOWED: Readonly<Record<ClaimState, readonly ClaimAction[]>> = {
  made: ['refer', 'grant', 'refuse', 'pay', 'withdraw'],
  granted: ['refer', 'refuse', 'pay', 'withdraw'],
  refused: ['refer', 'grant', 'pay', 'withdraw'],
  paid_in_part: ['refer', 'refuse', 'pay'],
  paid: ['refer'],
  withdrawn: [],
};

export function isAllowed(state: ClaimState, action: ClaimAction): boolean {
  return ALLOWED[state].includes(action);
}

function stateAfter(standing: ClaimStanding, { action, amount }: ClaimEntry): ClaimState {
  switch (action) {
    case 'grant':
      return 'granted';
    case 'refuse':
      // What was paid stays paid, whatever becomes of the rest.
      return standing.recovered > 0n ? 'paid_in_part' : 'refused';
    case 'pay':
      return standing.recovered + amount >= standing.claimed ? 'paid' : 'paid_in_part';
    case 'withdraw':
      return 'withdrawn';
    case 'make':
    case 'refer':
      return standing.state;
  }
}

function afterEntry(standing: ClaimStanding | null, entry: ClaimEntry): ClaimStanding | null {
  if (standing === null) {
    if (entry.action !== 'make') return null;
    const { amount, reference } = entry;
    return { state: 'made', claimed: amount, recovered: 0n, reference, credits: [], made: entry, last: entry };
  }
  if (!isAllowed(standing.state, entry.action)) return standing;
  const isPaid = entry.action === 'pay';
  return {
    ...standing,
    state: stateAfter(standing, entry),
    recovered: isPaid ? standing.recovered + entry.amount : standing.recovered,
    reference: entry.reference === '' ? standing.reference : entry.reference,
    credits: isPaid ? [...standing.credits, entry.credit] : standing.credits,
    last: entry,
  };
}

/** Where a claim stands, from all that happened to it; null: it was never made. Pure. An entry that came too late is passed over. */
export function claimStanding(entries: readonly ClaimEntry[]): ClaimStanding | null {
  return entriesInForce(entries).reduce<ClaimStanding | null>(afterEntry, null);
}

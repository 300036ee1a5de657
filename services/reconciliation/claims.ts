import type { ClaimAction, ClaimState } from '@ctwa-ledger/schemas/claims.ts';

/** An event of a claim. Of two with one revision the first is in force. */
export interface ClaimEntry {
  readonly entry_id: string;
  readonly revision: number;
  /** Unix milliseconds. */
  readonly at: number;
  readonly by: string;
  readonly action: ClaimAction;
  readonly note: string;
  /** In units of the twelfth decimal. `make`: the claimed amount; `pay`: the paid amount. */
  readonly amount: bigint;
  readonly reference: string;
  readonly credit: string;
}

/** The current state of a claim. */
export interface ClaimStanding {
  readonly state: ClaimState;
  readonly claimed: bigint;
  readonly recovered: bigint;
  readonly reference: string;
  readonly credits: readonly string[];
  readonly made: ClaimEntry;
  readonly last: ClaimEntry;
}

/** The entries in force, one for each revision, in order. */
export function entriesInForce(entries: readonly ClaimEntry[]): readonly ClaimEntry[] {
  const first = new Map<number, ClaimEntry>();
  for (const one of entries.toSorted((a, b) => a.at - b.at || (a.entry_id < b.entry_id ? -1 : 1)))
    if (!first.has(one.revision)) first.set(one.revision, one);
  return [...first.values()].toSorted((a, b) => a.revision - b.revision);
}

/** The events that each state of a claim allows. A refused claim can still be granted or paid. */
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
      // Payments stay, whatever happens to the rest.
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

/**
 * The state of a claim, from all of its events; null when it was never made. Pure. An event that its state does not
 * allow is ignored.
 */
export function claimStanding(entries: readonly ClaimEntry[]): ClaimStanding | null {
  return entriesInForce(entries).reduce<ClaimStanding | null>(afterEntry, null);
}

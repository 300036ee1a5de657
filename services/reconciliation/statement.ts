import { EXPLANATION_CODES, rowKeyOf, type ExplanationCode } from '@ctwa-ledger/schemas/meta.ts';
import { WRITE_OFF_REASONS, type StatementRow, type WriteOffReason } from '@ctwa-ledger/schemas/write-offs.ts';
import { amountText, sizeOf, smaller } from './amounts.ts';
import { isDifferent } from './judgement.ts';
import type { ExplainedRow, ReconciledMonth } from './reconcile.ts';
import { coverRow, type CoveredRow, type WrittenPart } from './write-offs.ts';

/** What is written off of each row, by `rowKeyOf`. */
export type WrittenOff = ReadonlyMap<string, readonly WrittenPart[]>;

/** A part of the difference of a row, in one line of the statement. */
export interface StatementPart {
  readonly line: 'within_tolerance' | 'explained' | 'written_off' | 'residual';
  readonly cause: ExplanationCode | WriteOffReason | '';
  readonly volume: bigint;
  /** Null when the difference of cost of the row is not known. */
  readonly cost: bigint | null;
}

/** The difference of cost of a row. Where Meta gives 0 for everything it is no cost of Meta's. */
function costOf({ row }: ExplainedRow): bigint | null {
  return row.status === 'no_cost' ? null : row.cost_difference;
}

/** What is written off of a row as it is now, and what is left of its difference. */
export function coveredRow(of: ExplainedRow, written: WrittenOff): CoveredRow {
  const { row } = of;
  return coverRow({ volume: row.volume_difference, cost: costOf(of) }, written.get(rowKeyOf(row)) ?? []);
}

const EXPECTED_PRICES: ReadonlySet<ExplanationCode> = new Set(['max_price', 'paid_exempt']);

/** What explains the difference that is left of a row. The cost goes with the messages. */
function explainedParts(
  { row, explanations }: ExplainedRow,
  left: Pick<CoveredRow, 'volume' | 'cost'>,
): StatementPart[] {
  const { volume, cost } = left;
  if (row.status === 'price') {
    // The volumes agree within tolerance. These are prices other than the list's that are expected (contract.md 8).
    const [{ code } = { code: 'unexplained' as const }] = explanations;
    return [{ line: EXPECTED_PRICES.has(code) ? 'explained' : 'residual', cause: code, volume, cost }];
  }
  const direction = volume < 0n ? -1n : 1n;
  let rest = sizeOf(volume);
  const parts: StatementPart[] = [];
  for (const one of explanations) {
    const taken = smaller(one.volume, rest) * direction;
    if (taken === 0n) continue;
    rest -= sizeOf(taken);
    const share = cost === null ? null : (cost * taken) / volume;
    parts.push({ line: 'explained', cause: one.code, volume: taken, cost: share });
  }
  if (rest === 0n && parts.length > 0) {
    // The last one takes what the division left over.
    const others = parts.slice(0, -1).reduce((sum, part) => sum + (part.cost ?? 0n), 0n);
    return parts.map((part, i) => (i === parts.length - 1 && cost !== null ? { ...part, cost: cost - others } : part));
  }
  const explained = parts.reduce((sum, part) => sum + (part.cost ?? 0n), 0n);
  const residual = { volume: rest * direction, cost: cost === null ? null : cost - explained };
  return [...parts, { line: 'residual', cause: 'unexplained', ...residual }];
}

/**
 * Splits the difference of a row into the lines of the statement: first what is written off, then what is explained.
 * The parts add up to the difference. Pure.
 */
export function partsOf(of: ExplainedRow, written: WrittenOff): StatementPart[] {
  const cost = costOf(of);
  const { volume_difference, status } = of.row;
  if (!isDifferent(status))
    return volume_difference === 0n && (cost ?? 0n) === 0n
      ? []
      : [{ line: 'within_tolerance', cause: '', volume: volume_difference, cost }];
  const left = coveredRow(of, written);
  const parts = left.parts.map(({ reason, ...part }): StatementPart => ({
    line: 'written_off',
    cause: reason,
    ...part,
  }));
  return left.volume === 0n && (left.cost ?? 0n) === 0n && parts.length > 0
    ? parts
    : [...parts, ...explainedParts(of, left)];
}

/** Whether nothing of a row is left once what is written off and what is explained are taken away. */
export function isSettled(of: ExplainedRow, written: WrittenOff): boolean {
  return partsOf(of, written).every(({ line }) => line !== 'residual');
}

interface Sum {
  rows: number;
  volume: bigint;
  /** Null as long as no part has a cost. */
  cost: bigint | null;
  unknown_costs: number;
}

const nothing = (): Sum => ({ rows: 0, volume: 0n, cost: null, unknown_costs: 0 });

function add(sum: Sum, volume: bigint, cost: bigint | null): void {
  sum.rows += 1;
  sum.volume += volume;
  if (cost === null) sum.unknown_costs += 1;
  else sum.cost = (sum.cost ?? 0n) + cost;
}

const CAUSES: readonly StatementPart['cause'][] = ['', ...WRITE_OFF_REASONS, ...EXPLANATION_CODES];
const LINES: readonly StatementPart['line'][] = ['within_tolerance', 'explained', 'written_off', 'residual'];

/**
 * The statement of a month: ours, Meta's, their difference, and the lines that it consists of. These add up to it,
 * messages and cost. There always is a residual line; it is 0 when all is explained, written off or within tolerance.
 * A row of which one cost is not known is in no cost. Pure.
 */
export function statementOf(
  { waba_id, month, currency, rows }: Pick<ReconciledMonth, 'waba_id' | 'month' | 'currency' | 'rows'>,
  written: WrittenOff,
): StatementRow[] {
  const [ours, meta, difference] = [nothing(), nothing(), nothing()];
  const lines = new Map<string, Sum>();
  for (const of of rows) {
    const { row } = of;
    const cost = costOf(of);
    add(ours, row.our_volume, cost === null ? null : row.our_cost);
    add(meta, row.meta_volume, cost === null ? null : row.meta_cost);
    add(difference, row.volume_difference, cost);
    for (const { line, cause, volume, cost: part } of partsOf(of, written)) {
      const sum = lines.get(`${line} ${cause}`) ?? nothing();
      lines.set(`${line} ${cause}`, sum);
      add(sum, volume, part);
    }
  }
  const row = (line: StatementRow['line'], cause: StatementRow['cause'], sum: Sum): StatementRow => ({
    ...{ waba_id, month, line, cause, rows: sum.rows, volume: sum.volume.toString(), currency },
    cost: sum.cost === null ? null : amountText(sum.cost),
    unknown_costs: sum.unknown_costs,
  });
  const parts = LINES.flatMap((line) =>
    CAUSES.flatMap((cause) => {
      const sum = lines.get(`${line} ${cause}`);
      return sum === undefined ? [] : [row(line, cause, sum)];
    }),
  );
  const isWhole = parts.every(({ line }) => line !== 'residual');
  const zero = { ...nothing(), cost: difference.cost === null ? null : 0n };
  return [
    row('ours', '', ours),
    row('meta', '', meta),
    row('difference', '', difference),
    ...parts,
    ...(isWhole ? [row('residual', '', zero)] : []),
  ];
}

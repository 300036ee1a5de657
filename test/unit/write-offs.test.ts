import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EXPLANATION_CODES, rowKeyOf, type ReconciliationStatus } from '../../schemas/meta.ts';
import { readNewWriteOff, readWriteOffUndo, WRITE_OFF_REASONS, type StatementRow } from '../../schemas/write-offs.ts';
import { isWhole, lineWords } from '../../schemas/write-off-words.ts';
import { readAmount, sizeOf } from '../../services/reconciliation/amounts.ts';
import { isDifferent } from '../../services/reconciliation/judgement.ts';
import type { ExplainedRow } from '../../services/reconciliation/reconcile.ts';
import { isSettled, partsOf, statementOf, type WrittenOff } from '../../services/reconciliation/statement.ts';
import {
  coverRow,
  writeOffStanding,
  writtenRows,
  type WriteOffEntry,
  type WrittenPart,
} from '../../services/reconciliation/write-offs.ts';

interface Side {
  readonly volume: bigint;
  readonly cost: bigint | null;
}

function row(
  index: number,
  status: ReconciliationStatus,
  ours: Side,
  meta: Side,
  explanations: ExplainedRow['explanations'] = [],
): ExplainedRow {
  const cost_difference = ours.cost === null || meta.cost === null ? null : ours.cost - meta.cost;
  return {
    row: {
      ...{ day: '2026-10-05', phone_number: '1', country: 'BR', category: 'MARKETING', pricing_type: 'REGULAR' },
      ...{ tier: String(index), our_volume: ours.volume, meta_volume: meta.volume, our_cost: ours.cost },
      ...{ meta_cost: meta.cost, unrated: 0n, lowest_rate: null, highest_rate: null, has_point: true },
      ...{ is_costless: false, status, volume_difference: ours.volume - meta.volume, cost_difference },
    },
    explanations,
  };
}

const written = (one: ExplainedRow, ...parts: WrittenPart[]): WrittenOff => new Map([[rowKeyOf(one.row), parts]]);
const dollars = (text: string): bigint => readAmount(text);
const month = (rows: readonly ExplainedRow[], of: WrittenOff): StatementRow[] =>
  statementOf({ waba_id: '1', month: '2026-10', currency: 'USD', rows }, of);
const lines = (rows: readonly ExplainedRow[], of: WrittenOff): unknown[] =>
  month(rows, of)
    .slice(3)
    .map(({ line, cause, rows: n, volume, cost }) => [line, cause, n, volume, cost]);

/** Four messages of two cents less than Meta has, of which three are explained. */
const PARTLY = row(1, 'volume', { volume: 6n, cost: dollars('0.12') }, { volume: 10n, cost: dollars('0.2') }, [
  { code: 'midnight', volume: 3n, detail: '' },
]);

describe('the statement of a month', () => {
  it('takes what is written off first, then what is explained, and always names what is left', () => {
    expect(lines([PARTLY], new Map())).toEqual([
      ['explained', 'midnight', 1, '-3', '-0.06'],
      ['residual', 'unexplained', 1, '-1', '-0.02'],
    ]);
    const one = { reason: 'immaterial', volume: -1n, cost: dollars('-0.02') } as const;
    expect(lines([PARTLY], written(PARTLY, one))).toEqual([
      ['explained', 'midnight', 1, '-3', '-0.06'],
      ['written_off', 'immaterial', 1, '-1', '-0.02'],
      ['residual', '', 0, '0', '0'],
    ]);
    const all = { reason: 'refused', volume: -4n, cost: dollars('-0.08') } as const;
    expect(lines([PARTLY], written(PARTLY, all))).toEqual([
      ['written_off', 'refused', 1, '-4', '-0.08'],
      ['residual', '', 0, '0', '0'],
    ]);
    expect([isSettled(PARTLY, new Map()), isSettled(PARTLY, written(PARTLY, one))]).toEqual([false, true]);
  });

  it('names ours and Meta’s, and leaves rows out of the cost of which one side is not known', () => {
    const known = row(1, 'match', { volume: 2n, cost: dollars('0.5') }, { volume: 2n, cost: dollars('0.5') });
    const unknown = row(2, 'volume', { volume: 9n, cost: dollars('3') }, { volume: 2n, cost: null });
    const free = row(3, 'no_cost', { volume: 4n, cost: dollars('1') }, { volume: 4n, cost: 0n });
    expect(
      month([known, unknown, free], new Map()).map(({ line, volume, cost, unknown_costs }) => [
        line,
        volume,
        cost,
        unknown_costs,
      ]),
    ).toEqual([
      ['ours', '15', '0.5', 2],
      ['meta', '8', '0.5', 2],
      ['difference', '7', '0', 2],
      ['residual', '7', null, 1],
    ]);
  });

  it('explains a price only where it is below the list, and lets it be written off', () => {
    const priced = (code: 'rate' | 'max_price'): ExplainedRow =>
      row(1, 'price', { volume: 5n, cost: dollars('0.5') }, { volume: 5n, cost: dollars('0.4') }, [
        { code, volume: 0n, detail: '' },
      ]);
    expect(lines([priced('max_price')], new Map())[0]).toEqual(['explained', 'max_price', 1, '0', '0.1']);
    expect(lines([priced('rate')], new Map())).toEqual([['residual', 'rate', 1, '0', '0.1']]);
    const off = { reason: 'refused', volume: 0n, cost: dollars('0.1') } as const;
    expect(lines([priced('rate')], written(priced('rate'), off))[0]).toEqual(['written_off', 'refused', 1, '0', '0.1']);
  });

  const side = fc.record({ volume: fc.bigInt(0n, 50n), cost: fc.option(fc.bigInt(0n, 10n ** 13n)) });
  const explanations = fc.array(
    fc.record({ code: fc.constantFrom(...EXPLANATION_CODES), share: fc.integer({ min: 0, max: 100 }) }),
    { maxLength: 3 },
  );
  const part = fc.record({
    reason: fc.constantFrom(...WRITE_OFF_REASONS),
    volume: fc.bigInt(-60n, 60n),
    cost: fc.option(fc.bigInt(-(10n ** 13n), 10n ** 13n)),
  });

  it('adds up to the difference, whatever is written off and explained, and a residual is a row that is not settled', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(side, side, explanations, fc.array(part, { maxLength: 2 })), { maxLength: 6 }),
        (all) => {
          const rows = all.map(([ours, meta, why], i) => {
            let left = sizeOf(ours.volume - meta.volume);
            const status = left > 0n ? 'volume' : ours.cost === meta.cost ? 'match' : 'price';
            const given = why.map(({ code, share }) => {
              const volume = status === 'price' ? 0n : (left * BigInt(share)) / 100n;
              left -= volume;
              return { code, volume, detail: '' };
            });
            return row(i, status, ours, meta, given);
          });
          const off: WrittenOff = new Map(all.map(([, , , parts], i) => [rowKeyOf(rows[i]!.row), parts]));
          for (const one of rows) {
            const parts = partsOf(one, off);
            const sum = (of: 'volume' | 'cost'): bigint => parts.reduce((total, p) => total + (p[of] ?? 0n), 0n);
            expect(sum('volume')).toBe(one.row.volume_difference);
            if (one.row.cost_difference !== null && parts.length > 0) expect(sum('cost')).toBe(one.row.cost_difference);
            for (const { volume } of parts) expect(volume * one.row.volume_difference).toBeGreaterThanOrEqual(0n);
            if (isDifferent(one.row.status))
              expect(parts.some(({ line }) => line === 'residual')).toBe(!isSettled(one, off));
          }
          const [ours, meta, difference, ...rest] = month(rows, off);
          const total = (of: 'volume' | 'cost'): bigint =>
            rest.reduce(
              (sum, line) => sum + (of === 'volume' ? BigInt(line.volume) : readAmount(line.cost ?? '0')),
              0n,
            );
          expect(BigInt(ours!.volume) - BigInt(meta!.volume)).toBe(BigInt(difference!.volume));
          expect(total('volume')).toBe(BigInt(difference!.volume));
          expect(total('cost')).toBe(readAmount(difference!.cost ?? '0'));
          expect(isWhole([ours!, meta!, difference!, ...rest], 0)).toBe(rows.every((one) => isSettled(one, off)));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('is in words the same on the page and elsewhere', () => {
    expect(lineWords({ line: 'explained', cause: 'midnight' })).toBe('Explained: Counted on the neighbouring day');
    expect(lineWords({ line: 'written_off', cause: 'refused' })).toBe('Written off: A claim was refused');
    expect(lineWords({ line: 'residual', cause: 'unexplained' })).toBe('Neither explained nor written off');
    expect(isWhole(month([PARTLY], new Map()), 0)).toBe(false);
    expect(isWhole(month([], new Map()), 0)).toBe(true);
    expect(isWhole(month([], new Map()), 1)).toBe(false);
  });
});

describe('what is written off of a row', () => {
  it('covers no more than the difference there is now, and none of the other direction', () => {
    const off = { reason: 'immaterial', volume: -4n, cost: -80n } as const;
    expect(coverRow({ volume: -6n, cost: -90n }, [off])).toEqual({ parts: [off], volume: -2n, cost: -10n });
    expect(coverRow({ volume: -1n, cost: -20n }, [off])).toEqual({
      parts: [{ reason: 'immaterial', volume: -1n, cost: -20n }],
      volume: 0n,
      cost: 0n,
    });
    expect(coverRow({ volume: 4n, cost: 80n }, [off])).toEqual({ parts: [], volume: 4n, cost: 80n });
    // An amount that was not known then is not written off.
    expect(coverRow({ volume: -4n, cost: -80n }, [{ ...off, cost: null }])).toMatchObject({ volume: 0n, cost: -80n });
  });

  it('counts until it is undone; of two at the same moment the first', () => {
    const made: WriteOffEntry = {
      ...{ entry_id: 'a', revision: 1, at: 1, by: 'ana', action: 'write_off', reason: 'timing', note: 'x' },
      rows: [{ key: 'k', volume: 1n, cost: 2n }],
    };
    const undo: WriteOffEntry = { ...made, entry_id: 'b', revision: 2, at: 2, action: 'undo', rows: [] };
    expect(writeOffStanding([undo, made])).toEqual({ made, undone: undo });
    expect(writeOffStanding([made, undo, { ...undo, entry_id: 'c', at: 3, by: 'rui' }])).toEqual({
      made,
      undone: undo,
    });
    expect(writeOffStanding([undo])).toBeNull();
    const standing = { made, undone: null };
    expect([...writtenRows([standing])]).toEqual([['k', [{ reason: 'timing', volume: 1n, cost: 2n }]]]);
    expect(writtenRows([{ made, undone: undo }]).size).toBe(0);
  });
});

describe('what a person enters', () => {
  const KEY = { waba_id: '1', month: '2026-10', explanation: 'midnight', reason: 'timing', note: 'x', by: 'ana' };
  it.each([
    [{ by: ' ' }, 'by: is empty: say who you are.'],
    [{ note: '' }, 'note: is empty: say why it is written off.'],
    [{ reason: 'mine' }, `reason: must be one of ${WRITE_OFF_REASONS.join(', ')}.`],
    [{ rows: ['k'] }, 'Say either explanation, which writes off the rows of a case, or rows.'],
    [{ explanation: undefined }, 'Say either explanation, which writes off the rows of a case, or rows.'],
    [{ month: '2026-13' }, 'month: is not a month like 2026-10.'],
  ])('%j is refused in words', (given, message) => {
    expect(readNewWriteOff({ ...KEY, ...given })).toBe(message);
  });

  it('is taken as it is', () => {
    expect(readNewWriteOff(KEY)).toEqual(KEY);
    expect(readWriteOffUndo({ action: 'undo', note: 'x', by: 'ana' })).toEqual({
      action: 'undo',
      note: 'x',
      by: 'ana',
    });
    expect(readWriteOffUndo({ action: 'make', note: 'x', by: 'ana' })).toBe('action: is not undo.');
  });
});

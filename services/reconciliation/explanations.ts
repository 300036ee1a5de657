import { EXPLANATION_CODES, type ExplanationCode } from '@ctwa-ledger/schemas/meta.ts';
import { sizeOf, smaller } from './amounts.ts';
import { assignDifferences } from './assignment.ts';
import { losingCauses, movingCauses } from './causes.ts';
import { groupsOf, pointKey, type Explanation, type JudgedRow } from './differences.ts';
import { resetEvidence, type Evidence } from './evidence.ts';
import { exemptDays } from './exemption.ts';

/** Called with how many messages of a row are explained, and the evidence in words. */
type Found = (code: ExplanationCode, row: JudgedRow, volume: bigint, detail: string) => void;

/** Causes of whole rows, by what is known of their number: nothing else has to be looked for there. */
function findNumbers(rows: readonly JudgedRow[], evidence: Evidence, found: Found): void {
  for (const row of rows) {
    if (row.phone_number === '') continue;
    const volume = sizeOf(row.volume_difference);
    const isOneSided = row.our_volume === 0n || row.meta_volume === 0n;
    if (isOneSided && !evidence.isKnown(row.phone_number))
      found('unknown_number', row, volume, `It is not known which number of ours ${row.phone_number} is.`);
    else if (!row.has_point && row.volume_difference > 0n && evidence.isGone(row.day, row.phone_number))
      found(
        'number_gone',
        row,
        volume,
        `Earlier answers name ${row.phone_number}, those that hold of ${row.day} do not.`,
      );
  }
}

/** What is closed where the days are cut in the zone that fits. */
function findZone(rows: readonly JudgedRow[], { zone }: Evidence, found: Found): void {
  if (zone === null) return;
  for (const [key, group] of groupsOf(rows, pointKey)) {
    const now = sizeOf(group.reduce((sum, one) => sum + one.volume_difference, 0n));
    const closed = now - sizeOf(zone.differenceOf(key));
    for (const row of group) {
      const volume = smaller(closed, sizeOf(row.volume_difference));
      if (volume > 0n) found('zone', row, volume, `The days agree when they are cut in ${zone.zone}.`);
    }
  }
}

const rank = ({ code }: Explanation): number => EXPLANATION_CODES.indexOf(code);
const descending = (a: bigint, b: bigint): number => (a === b ? 0 : a > b ? -1 : 1);

/**
 * The explanations of each row whose volumes differ: the largest first, together no more than the difference. Of two
 * that explain a row equally well, the one that explains more of the whole month is first. Pure.
 */
export function explainVolumes(rows: readonly JudgedRow[], evidence: Evidence): ReadonlyMap<JudgedRow, Explanation[]> {
  const left = new Map(
    rows.flatMap((row) => (row.volume_difference === 0n ? [] : [[row, sizeOf(row.volume_difference)] as const])),
  );
  const explained = new Map([...left.keys()].map((row) => [row, [] as Explanation[]]));
  const totals = new Map<ExplanationCode, bigint>();
  const found: Found = (code, row, wanted, detail) => {
    const volume = smaller(wanted, left.get(row) ?? 0n);
    if (volume <= 0n) return;
    left.set(row, (left.get(row) ?? 0n) - volume);
    totals.set(code, (totals.get(code) ?? 0n) + volume);
    explained.get(row)?.push({ code, volume, detail });
  };
  const differing = [...left.keys()];
  findNumbers(differing, evidence, found);
  findZone(differing, evidence, found);
  const assigned = assignDifferences(
    rows,
    new Map([...left].filter(([, size]) => size > 0n)),
    movingCauses(evidence, exemptDays(rows)),
    losingCauses(evidence),
    () => {
      resetEvidence(evidence);
    },
  );
  for (const { code, row, volume, detail } of assigned) found(code, row, volume, detail);
  const total = ({ code }: Explanation): bigint => totals.get(code) ?? 0n;
  for (const explanations of explained.values())
    explanations.sort((a, b) => descending(a.volume, b.volume) || descending(total(a), total(b)) || rank(a) - rank(b));
  return explained;
}

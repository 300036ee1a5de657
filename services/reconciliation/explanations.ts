import { EXPLANATION_CODES, type CountFinding, type ExplanationCode } from '@ctwa-ledger/schemas/meta.ts';
import { sizeOf, smaller } from './amounts.ts';
import { pointKey, type Explanation, type JudgedRow } from './differences.ts';
import type { Evidence } from './evidence.ts';
import { exemptDays, isChargedService } from './exemption.ts';
import { dayAfter } from './whole-days.ts';

/** Called with how many messages of a row are explained, and the evidence in words. */
type Found = (row: JudgedRow, volume: bigint, detail: string) => void;

interface Given {
  /** All rows of the month whose volumes differ, in order. */
  readonly rows: readonly JudgedRow[];
  readonly evidence: Evidence;
  /** Whether Meta charges no service message from a day on. */
  readonly isExempt: (day: string) => boolean;
}

/** One cause. It looks at all rows, because another row may have the messages that one lacks. */
interface Cause {
  readonly code: ExplanationCode;
  /** Causes above it that are special cases of it. The messages that they explain in a row are not explained again. */
  readonly except?: readonly ExplanationCode[];
  find(given: Given, found: Found): void;
}

const isOver = (row: JudgedRow): boolean => row.volume_difference > 0n;

/** Groups of rows that have the same key, except for the part that `key` leaves out. */
function siblings(rows: readonly JudgedRow[], key: (row: JudgedRow) => readonly string[]): Iterable<JudgedRow[]> {
  const groups = new Map<string, JudgedRow[]>();
  for (const row of rows) {
    const name = key(row).join('\n');
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [row]);
    else group.push(row);
  }
  return groups.values();
}

/**
 * Matches messages that some siblings have too many of with those that others lack: as many on one side as on the
 * other.
 * @param provable for a row with too many, how many of them may be meant
 */
function pairUp(
  group: readonly JudgedRow[],
  provable: (row: JudgedRow) => bigint,
  detail: (row: JudgedRow, others: readonly JudgedRow[]) => string,
  found: Found,
): void {
  const over = group.filter(isOver);
  const under = group.filter((row) => !isOver(row));
  const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, one) => total + one, 0n);
  const offered = over.map((row) => smaller(row.volume_difference, provable(row)));
  const paired = smaller(sum(offered), sum(under.map((row) => -row.volume_difference)));
  const give = (rows: readonly JudgedRow[], sizes: readonly bigint[], others: readonly JudgedRow[]): void => {
    let left = paired;
    for (const [index, row] of rows.entries()) {
      const volume = smaller(left, sizes[index] ?? 0n);
      left -= volume;
      if (volume > 0n) found(row, volume, detail(row, others));
    }
  };
  give(over, offered, under);
  give(
    under,
    under.map((row) => -row.volume_difference),
    over,
  );
}

/** Counts with these findings show that no event of the day is missing. */
const NOTHING_MISSING: ReadonlySet<CountFinding> = new Set(['complete', 'other_responder']);

const CATEGORIES_OF_TEMPLATES: ReadonlySet<string> = new Set([
  'MARKETING',
  'UTILITY',
  'AUTHENTICATION',
  'AUTHENTICATION_INTERNATIONAL',
]);

/** Whether a row is of charged messages in a category that only templates have, Direct Send aside. */
function hasCategoryOfTemplates({ category, pricing_type }: JudgedRow): boolean {
  return CATEGORIES_OF_TEMPLATES.has(category) && (pricing_type === 'REGULAR' || pricing_type === '');
}

const all = (row: JudgedRow): bigint => row.volume_difference;

const CAUSES: readonly Cause[] = [
  {
    code: 'unknown_number',
    find({ rows, evidence }, found) {
      for (const row of rows)
        if (row.phone_number !== '' && (row.our_volume === 0n || row.meta_volume === 0n))
          if (!evidence.isKnown(row.phone_number))
            found(row, sizeOf(row.volume_difference), `It is not known which number of ours ${row.phone_number} is.`);
    },
  },
  {
    code: 'number_gone',
    find({ rows, evidence }, found) {
      for (const row of rows)
        if (row.phone_number !== '' && !row.has_point && isOver(row) && evidence.isGone(row.day, row.phone_number))
          found(
            row,
            row.volume_difference,
            `Earlier answers name ${row.phone_number}, those that hold of ${row.day} do not.`,
          );
    },
  },
  {
    code: 'zone',
    find({ rows, evidence: { zone } }, found) {
      if (zone === null) return;
      for (const group of siblings(rows, (row) => [pointKey(row)])) {
        const [row] = group;
        if (row === undefined) continue;
        const now = sizeOf(group.reduce((sum, one) => sum + one.volume_difference, 0n));
        const closed = now - sizeOf(zone.differenceOf(pointKey(row)));
        for (const one of group) {
          const volume = smaller(closed, sizeOf(one.volume_difference));
          if (volume > 0n) found(one, volume, `The days agree when they are cut in ${zone.zone}.`);
        }
      }
    },
  },
  {
    code: 'tier',
    find({ rows }, found) {
      for (const group of siblings(rows, (row) => [pointKey(row)]))
        pairUp(group, all, (_, others) => `The other tier: ${namesOf(others, 'tier')}.`, found);
    },
  },
  {
    code: 'direct_send',
    find({ rows, evidence }, found) {
      for (const group of siblings(rows, (row) => [row.day, row.phone_number, row.country]))
        for (const isOfTemplates of [true, false])
          pairUp(
            group.filter((row) =>
              isOver(row) === isOfTemplates ? hasCategoryOfTemplates(row) : row.category === 'SERVICE',
            ),
            (row) => (isOfTemplates ? evidence.directSends : evidence.unreportedTexts).count(pointKey(row)),
            (_, others) => `Sent without a template; counted as ${namesOf(others, 'category')}.`,
            found,
          );
    },
  },
  {
    code: 'paid_exempt',
    find({ rows, isExempt }, found) {
      const services = rows.filter((row) => row.category === 'SERVICE' && isExempt(row.day));
      for (const group of siblings(services, (row) => [row.day, row.phone_number, row.country]))
        pairUp(
          group.filter((row) => isChargedService(row) === isOver(row)),
          all,
          () => 'Meta charges for no service message from this day on, as where an account need not pay for them.',
          found,
        );
    },
  },
  {
    code: 'verdict',
    except: ['direct_send', 'paid_exempt'],
    find({ rows, evidence }, found) {
      for (const group of siblings(rows, (row) => [row.day, row.phone_number, row.country]))
        for (const some of byWays(group, (row) => row.pricing_type))
          pairUp(
            some,
            // If Meta counts as many deliveries as we do, none is missing: what one row lacks is in another.
            (row) =>
              evidence.counts.of(row)?.finding === 'complete'
                ? row.volume_difference
                : evidence.doubtful.count(pointKey(row)),
            (_, others) => `Not reported as predicted, or not at all; counted as ${namesOf(others, 'pricing_type')}.`,
            found,
          );
    },
  },
  {
    code: 'group',
    find({ rows, evidence }, found) {
      for (const group of siblings(rows, (row) => [row.day, row.phone_number, row.country]))
        for (const some of byWays(group, (row) => `${row.pricing_type} ${row.category}`))
          pairUp(
            some,
            (row) => evidence.ofGroups.count(pointKey(row)),
            (_, others) => `Messages of groups; counted as ${namesOf(others, 'category')}.`,
            found,
          );
    },
  },
  {
    code: 'midnight',
    find({ rows, evidence }, found) {
      for (const group of siblings(rows, ({ phone_number, country, category, pricing_type, tier }) => [
        phone_number,
        country,
        category,
        pricing_type,
        tier,
      ]))
        overMidnight(group, evidence, found);
    },
  },
  {
    code: 'country',
    find({ rows }, found) {
      for (const group of siblings(rows, ({ day, phone_number, category, pricing_type, tier }) => [
        day,
        phone_number,
        category,
        pricing_type,
        tier,
      ]))
        pairUp(group, all, (_, others) => `The other country: ${namesOf(others, 'country')}.`, found);
    },
  },
  {
    code: 'echo',
    find({ rows, evidence }, found) {
      for (const row of missing(rows)) {
        const volume = evidence.echoes.take(row, -row.volume_difference);
        if (volume > 0n) found(row, volume, 'Sent from the app, which is outside the bill here.');
      }
    },
  },
  {
    code: 'unknown_waba',
    find({ rows, evidence }, found) {
      for (const row of missing(rows)) {
        const volume = evidence.ofOthers.take(pointKey(row), -row.volume_difference);
        if (volume > 0n) found(row, volume, 'Messages of this number are under another account here, or under none.');
      }
    },
  },
  {
    code: 'no_outcome',
    find({ rows, evidence }, found) {
      for (const row of missing(rows)) {
        const volume = evidence.withoutOutcome.take(row, -row.volume_difference);
        if (volume > 0n) found(row, volume, 'Sent on this day, and no status has come since.');
      }
    },
  },
  {
    code: 'read_only',
    find({ rows, evidence }, found) {
      for (const row of rows.filter(isOver)) {
        const volume = evidence.readOnly.take(pointKey(row), row.volume_difference);
        if (volume > 0n) found(row, volume, 'Known to be delivered only because they were read.');
      }
    },
  },
  {
    code: 'late',
    find({ rows, evidence }, found) {
      for (const row of rows.filter(isOver)) {
        const volume = evidence.late.take(pointKey(row), row.volume_difference);
        if (volume > 0n) found(row, volume, "Known here only since Meta's numbers were stored.");
      }
    },
  },
  {
    code: 'gap',
    find({ rows, evidence }, found) {
      for (const row of missing(rows)) {
        const counts = evidence.counts.of(row);
        const hole = evidence.holes.find(
          ({ phone_number, first_day, last_day }) =>
            (row.phone_number === '' || row.phone_number === phone_number) &&
            (row.day === '' || (first_day <= row.day && row.day <= last_day)),
        );
        // A silence is no gap if Meta counts no more messages of customers in it than we have.
        if (hole !== undefined && (counts === undefined || !NOTHING_MISSING.has(counts.finding)))
          found(
            row,
            -row.volume_difference,
            `No event of ${hole.phone_number} in ${hole.missing_hours} usual hours from ${hole.first_day} to ${hole.last_day}.`,
          );
        else if (counts?.finding === 'gap') {
          const volume = evidence.counts.take(row, -row.volume_difference);
          if (volume > 0n)
            found(
              row,
              volume,
              `Meta counts ${counts.meta_incoming ?? 0} messages of customers on ${row.day}, and ${counts.our_incoming} are here: events are missing.`,
            );
        }
      }
    },
  },
  {
    code: 'other_responder',
    find({ rows, evidence }, found) {
      for (const row of missing(rows)) {
        const counts = evidence.counts.of(row);
        if (counts?.finding !== 'other_responder') continue;
        const volume = evidence.counts.take(row, -row.volume_difference);
        if (volume > 0n)
          found(
            row,
            volume,
            `All ${counts.our_incoming} messages of customers on ${row.day} are here, but Meta counts ${counts.meta_sent ?? 0} sent and our events name ${counts.our_sent}: something else answers with this number.`,
          );
      }
    },
  },
];

/** Rows for which we have too few, those with a category first; the others take the rest. */
function missing(rows: readonly JudgedRow[]): JudgedRow[] {
  const names = (row: JudgedRow): number => (row.category === 'ANY' || row.category === '' ? 1 : 0);
  return rows.filter((row) => !isOver(row)).toSorted((a, b) => names(a) - names(b));
}

function namesOf(rows: readonly JudgedRow[], column: 'tier' | 'country' | 'category' | 'pricing_type'): string {
  return [...new Set(rows.map((row) => row[column]))].slice(0, 3).join(', ');
}

/** The rows, unless all of them differ in the same direction: then no message moved between them. */
function byWays(group: readonly JudgedRow[], way: (row: JudgedRow) => string): readonly (readonly JudgedRow[])[] {
  const over = new Set(group.filter(isOver).map(way));
  const under = group.filter((row) => !isOver(row) && !over.has(way(row)));
  return under.length === 0 ? [] : [[...group.filter(isOver), ...under]];
}

/**
 * Matches messages close to a midnight that the two sides count on different days: one day has too many and one too
 * few.
 */
function overMidnight(group: readonly JudgedRow[], evidence: Evidence, found: Found): void {
  const byDay = new Map(group.map((row) => [row.day, row]));
  const left = new Map(group.map((row) => [row, sizeOf(row.volume_difference)]));
  for (const row of group) {
    const next = row.day === '' ? undefined : byDay.get(dayAfter(row.day));
    if (next === undefined || isOver(next) === isOver(row)) continue;
    // We have them on one of the two days: close to its end or to its begin.
    const near = isOver(row) ? evidence.nearEnd.count(pointKey(row)) : evidence.nearStart.count(pointKey(next));
    const volume = smaller(near, smaller(left.get(row) ?? 0n, left.get(next) ?? 0n));
    if (volume === 0n) continue;
    for (const one of [row, next]) {
      left.set(one, (left.get(one) ?? 0n) - volume);
      found(one, volume, `Delivered within an hour of the midnight between ${row.day} and ${next.day}.`);
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
  const differing = rows.filter((row) => row.volume_difference !== 0n);
  const candidates = new Map<JudgedRow, Map<ExplanationCode, Explanation>>();
  const totals = new Map<ExplanationCode, bigint>();
  const total = ({ code }: Explanation): bigint => totals.get(code) ?? 0n;
  const given = { rows: differing, evidence, isExempt: exemptDays(rows) };
  for (const { code, except = [], find } of CAUSES)
    find(given, (row, whole, detail) => {
      const known = candidates.get(row) ?? new Map<ExplanationCode, Explanation>();
      candidates.set(row, known);
      const volume = except.reduce((left, special) => left - smaller(left, known.get(special)?.volume ?? 0n), whole);
      if (volume === 0n) return;
      totals.set(code, (totals.get(code) ?? 0n) + volume);
      known.set(code, { code, volume: (known.get(code)?.volume ?? 0n) + volume, detail });
    });
  return new Map(
    differing.map((row) => {
      const ranked = [...(candidates.get(row)?.values() ?? [])].sort(
        (a, b) => descending(a.volume, b.volume) || descending(total(a), total(b)) || rank(a) - rank(b),
      );
      let left = sizeOf(row.volume_difference);
      const explained = ranked.flatMap((one) => {
        const volume = smaller(left, one.volume);
        left -= volume;
        return volume > 0n ? [{ ...one, volume }] : [];
      });
      return [row, explained];
    }),
  );
}

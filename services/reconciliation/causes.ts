import type { CountFinding, ExplanationCode } from '@ctwa-ledger/schemas/meta.ts';
import { sizeOf } from './amounts.ts';
import { pointKey, type JudgedRow, type Pool } from './differences.ts';
import type { Evidence } from './evidence.ts';
import { isChargedService } from './exemption.ts';
import { dayAfter } from './whole-days.ts';

/** Messages of ours that may have been counted otherwise. Each can be taken once. */
export interface Source {
  /** Whether any message of a row may be meant. */
  readonly is_every_message?: boolean;
  count(row: JudgedRow): bigint;
  /** All of them; undefined = the sum of all rows. */
  readonly total?: () => bigint;
  /** @returns how many of the wanted messages there are */
  take(row: JudgedRow, wanted: bigint): bigint;
}

/** A cause by which a message is in one row on our side and in another on Meta's. */
export interface MovingCause {
  readonly code: ExplanationCode;
  /** Rows between which messages may have moved have the same key. */
  readonly key: (row: JudgedRow) => readonly string[];
  /** What moves together: the share of messages that moved is learned for each pair of these. */
  readonly label: (row: JudgedRow) => string;
  readonly isPossible: (over: JudgedRow, under: JudgedRow) => boolean;
  readonly source: Source;
  readonly detail: (others: readonly JudgedRow[], row: JudgedRow) => string;
}

/** A cause by which one of the sides does not count a message at all. */
export interface LosingCause {
  readonly code: ExplanationCode;
  /** Whether it is on our side alone, or on Meta's alone. */
  readonly is_ours: boolean;
  readonly source: Source;
  /** How many messages are expected, of each that may be meant; undefined = this is learned. */
  readonly share?: number;
  readonly detail: (row: JudgedRow) => string;
}

const ofPool = (pool: Pool): Source => ({
  count: (row) => pool.count(pointKey(row)),
  take: (row, wanted) => pool.take(pointKey(row), wanted),
});

/** There is nothing that could run out. */
const EVERY_MESSAGE: Source = {
  is_every_message: true,
  count: ({ our_volume }) => our_volume,
  take: (_, wanted) => wanted,
};

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

function namesOf(rows: readonly JudgedRow[], column: 'tier' | 'country' | 'category' | 'pricing_type'): string {
  return [...new Set(rows.map((row) => row[column]))].slice(0, 3).join(', ');
}

const ofCustomersDay = ({ day, phone_number, country }: JudgedRow): readonly string[] => [day, phone_number, country];
const kindOf = ({ pricing_type, category }: JudgedRow): string => `${pricing_type} ${category}`;

const isDirectSend = (over: JudgedRow, under: JudgedRow): boolean =>
  hasCategoryOfTemplates(over)
    ? under.category === 'SERVICE'
    : over.category === 'SERVICE' && hasCategoryOfTemplates(under);

function isExemption(over: JudgedRow, under: JudgedRow, isExempt: (day: string) => boolean): boolean {
  return isChargedService(over) && under.category === 'SERVICE' && !isChargedService(under) && isExempt(over.day);
}

/** Counts with these findings show that no event of the day is missing. */
const NOTHING_MISSING: ReadonlySet<CountFinding> = new Set(['complete', 'other_responder']);

/**
 * Causes by which messages move between rows.
 * @param isExempt whether Meta charges no service message from a day on
 */
export function movingCauses(evidence: Evidence, isExempt: (day: string) => boolean): readonly MovingCause[] {
  const { counts, doubtful, directSends, unreportedTexts, nearEnd, nearStart } = evidence;
  // Asked for each pair of rows, of which a month has many.
  const nextDays = new Map<string, string>();
  const next = (day: string): string => {
    const known = nextDays.get(day) ?? dayAfter(day);
    nextDays.set(day, known);
    return known;
  };
  return [
    {
      code: 'tier',
      key: (row) => [pointKey(row)],
      label: ({ category, tier }) => `${category} ${tier}`,
      isPossible: () => true,
      source: EVERY_MESSAGE,
      detail: (others) => `The other tier: ${namesOf(others, 'tier')}.`,
    },
    {
      code: 'direct_send',
      key: ofCustomersDay,
      label: kindOf,
      isPossible: isDirectSend,
      source: {
        count: (row) => (row.category === 'SERVICE' ? unreportedTexts : directSends).count(pointKey(row)),
        take: (row, wanted) => (row.category === 'SERVICE' ? unreportedTexts : directSends).take(pointKey(row), wanted),
      },
      detail: (others) => `Sent without a template; counted as ${namesOf(others, 'category')}.`,
    },
    {
      code: 'paid_exempt',
      key: ofCustomersDay,
      label: kindOf,
      isPossible: (over, under) => isExemption(over, under, isExempt),
      source: EVERY_MESSAGE,
      detail: () => 'Meta charges for no service message from this day on, as where an account need not pay for them.',
    },
    {
      code: 'verdict',
      key: ofCustomersDay,
      label: kindOf,
      isPossible: (over, under) =>
        over.pricing_type !== under.pricing_type && !isDirectSend(over, under) && !isExemption(over, under, isExempt),
      source: {
        // If Meta counts as many deliveries as we do, none is missing: what one row lacks is in another.
        count: (row) => (counts.of(row)?.finding === 'complete' ? row.our_volume : doubtful.count(pointKey(row))),
        take: (row, wanted) => (counts.of(row)?.finding === 'complete' ? wanted : doubtful.take(pointKey(row), wanted)),
      },
      detail: (others) => `Not reported as predicted, or not at all; counted as ${namesOf(others, 'pricing_type')}.`,
    },
    {
      code: 'group',
      key: ofCustomersDay,
      label: kindOf,
      isPossible: (over, under) => kindOf(over) !== kindOf(under),
      source: ofPool(evidence.ofGroups),
      detail: (others) => `Messages of groups; counted as ${namesOf(others, 'category')}.`,
    },
    ...([nearEnd, nearStart] as const).map((near): MovingCause => ({
      code: 'midnight',
      key: ({ phone_number, country, category, pricing_type, tier }) => [
        phone_number,
        country,
        category,
        pricing_type,
        tier,
      ],
      label: () => '',
      // We have them on one of the two days: close to its end or to its begin.
      isPossible: (over, under) =>
        over.day !== '' && (near === nearEnd ? under.day === next(over.day) : over.day === next(under.day)),
      source: ofPool(near),
      detail: ([other], row) => {
        const days = [row.day, other?.day ?? ''].toSorted();
        return `Delivered within an hour of the midnight between ${days.join(' and ')}.`;
      },
    })),
    {
      code: 'country',
      key: ({ day, phone_number, category, pricing_type, tier }) => [day, phone_number, category, pricing_type, tier],
      label: ({ country }) => country,
      isPossible: () => true,
      source: EVERY_MESSAGE,
      detail: (others) => `The other country: ${namesOf(others, 'country')}.`,
    },
  ];
}

/** The share of a row's difference that is expected to be missing where its number has a hole in its events. */
const SHARE_IN_HOLE = 0.3;

function holeOf(row: JudgedRow, { holes, counts }: Evidence): Evidence['holes'][number] | undefined {
  const counted = counts.of(row);
  // A silence is no gap if Meta counts no more messages of customers in it than we have.
  if (counted !== undefined && NOTHING_MISSING.has(counted.finding)) return undefined;
  return holes.find(
    ({ phone_number, first_day, last_day }) =>
      (row.phone_number === '' || row.phone_number === phone_number) &&
      (row.day === '' || (first_day <= row.day && row.day <= last_day)),
  );
}

/** Messages that Meta counts on a day with a finding, and that are not known to be delivered here. */
function countedBeyond({ counts }: Evidence, finding: CountFinding): Source {
  const isFound = (row: JudgedRow): boolean => counts.of(row)?.finding === finding;
  return {
    count: (row) => (isFound(row) ? counts.count(row) : 0n),
    take: (row, wanted) => (isFound(row) ? counts.take(row, wanted) : 0n),
  };
}

/** Causes by which one side does not count a message. */
export function losingCauses(evidence: Evidence): readonly LosingCause[] {
  const { counts } = evidence;
  return [
    {
      code: 'echo',
      is_ours: false,
      source: evidence.echoes,
      detail: () => 'Sent from the app, which is outside the bill here.',
    },
    {
      code: 'unknown_waba',
      is_ours: false,
      source: ofPool(evidence.ofOthers),
      detail: () => 'Messages of this number are under another account here, or under none.',
    },
    {
      code: 'no_outcome',
      is_ours: false,
      source: evidence.withoutOutcome,
      detail: () => 'Sent on this day, and no status has come since.',
    },
    {
      code: 'read_only',
      is_ours: true,
      source: ofPool(evidence.readOnly),
      detail: () => 'Known to be delivered only because they were read.',
    },
    {
      code: 'late',
      is_ours: true,
      source: ofPool(evidence.late),
      detail: () => "Known here only since Meta's numbers were stored.",
    },
    {
      code: 'gap',
      is_ours: false,
      share: SHARE_IN_HOLE,
      source: {
        count: (row) => (holeOf(row, evidence) === undefined ? 0n : sizeOf(row.volume_difference)),
        take: (_, wanted) => wanted,
      },
      detail: (row) => {
        const hole = holeOf(row, evidence);
        return `No event of ${hole?.phone_number ?? ''} in ${hole?.missing_hours ?? 0} usual hours from ${hole?.first_day ?? ''} to ${hole?.last_day ?? ''}.`;
      },
    },
    {
      code: 'gap',
      is_ours: false,
      source: countedBeyond(evidence, 'gap'),
      detail: (row) => {
        const { meta_incoming, our_incoming } = counts.of(row) ?? {};
        return `Meta counts ${meta_incoming ?? 0} messages of customers on ${row.day}, and ${our_incoming ?? 0} are here: events are missing.`;
      },
    },
    {
      code: 'other_responder',
      is_ours: false,
      source: countedBeyond(evidence, 'other_responder'),
      detail: (row) => {
        const { our_incoming, meta_sent, our_sent } = counts.of(row) ?? {};
        return `All ${our_incoming ?? 0} messages of customers on ${row.day} are here, but Meta counts ${meta_sent ?? 0} sent and our events name ${our_sent ?? 0}: something else answers with this number.`;
      },
    },
  ];
}

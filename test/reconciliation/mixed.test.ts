/** A month of Meta's with errors of several kinds at once, each of whose causes is known. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ExplanationCode } from '../../schemas/meta.ts';
import { settleReports } from '../../services/exports/report.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { importRateFile } from '../../services/rating/rate-cards.ts';
import { importMetaAnswers, type MetaImportOptions } from '../../services/reconciliation/imports.ts';
import { DEFAULT_TOLERANCE } from '../../services/reconciliation/judgement.ts';
import { reconcileMonth, type ExplainedRow } from '../../services/reconciliation/reconcile.ts';
import { Prng } from '../../services/simulate/prng.ts';
import { parsed } from '../support/expected-rows.ts';
import { DataDirectory, openLedger } from '../support/ledger.ts';
import { answer, file } from './meta.ts';
import { counted, Decimal, pointsOf, type Counted } from './naive.ts';
import { ACCOUNT, LIST_CARD, MONTH, TIER_CARD, traffic, WABA, ZONE, type Trait } from './world.ts';

/** The price of authentication in India is missing here, so that messages have no amount. */
const CARD_WITH_A_HOLE = LIST_CARD.replace('India,USD,0.0118,0.0014,0.0014', 'India,USD,0.0118,0.0014,n/a');

const data = new DataDirectory();
let ledger: Ledger;
const messages = traffic(11, 5);
const traits = new Map(messages.map(({ id, trait }) => [id, trait]));
const stored = messages.flatMap((message) => message.stored);
const ours = counted(stored, ACCOUNT);
const truth = counted(
  messages.flatMap((message) => message.truth),
  ACCOUNT,
);
const withEchoes = counted(stored, ACCOUNT, ZONE, 'counted');

beforeAll(async () => {
  ledger = await openLedger(data, 'mixed', { accounts: [ACCOUNT] });
  for (const [name, text] of [
    ['list.csv', CARD_WITH_A_HOLE],
    ['tiers.csv', TIER_CARD],
  ] as const)
    await importRateFile(ledger.database, { name, bytes: Buffer.from(text), effective: '2026-10-01', by: 'a test' });
  await ledger.record(parsed(stored));
  await settleReports(['reconciliation'], ledger.database);
});
afterAll(async () => {
  await ledger.close();
  await data.remove();
});
beforeEach(async () => {
  for (const table of ['meta_imports', 'meta_points', 'import_files'])
    await ledger.database.command(`TRUNCATE TABLE ${table}`);
});

const OPTIONS: MetaImportOptions = { days: 'account', asked: { from: '2026-10-01', to: '2026-11-01' }, by: 'a test' };

/** On the card of the world. */
const SERVICE_PRICES: Readonly<Record<string, string>> = {
  BR: '0.0068',
  US: '0.0034',
  CA: '0.0034',
  IN: '0.0014',
  KZ: '0.0212',
};
/** The price of marketing in Kazakhstan from a day on, as Meta charges it. */
const REPRICED_FROM = '2026-10-15';

/** What Meta makes of a message: where it counts it, or null where it does not; undefined where it counts as we do. */
type Otherwise = (message: Counted) => Counted | null | undefined;

const asService = (message: Counted, pricing_type: 'REGULAR' | 'FREE_CUSTOMER_SERVICE'): Counted => ({
  ...message,
  category: 'SERVICE',
  pricing_type,
  tier: pricing_type === 'REGULAR' ? '0:MAX' : '',
  cost: new Decimal(pricing_type === 'REGULAR' ? SERVICE_PRICES[message.country]! : 0),
});
const isOf = ({ message_id }: Counted, trait: Trait): boolean => traits.get(message_id) === trait;
/** Whether it was delivered in the last hour of its day; the zone has no summer time. */
const isBeforeMidnight = ({ delivered_at }: Counted): boolean => (delivered_at - 3 * 3_600) % 86_400 >= 82_800;
const dayAfter = (day: string): string => new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10);

const ERRORS: Partial<Record<ExplanationCode, Otherwise>> = {
  midnight: (one) => (isBeforeMidnight(one) && one.day < '2026-10-31' ? { ...one, day: dayAfter(one.day) } : undefined),
  tier: (one) => (one.tier === '21:40' ? { ...one, tier: '0:20', cost: new Decimal('0.0068') } : undefined),
  country: (one) => (one.country === 'CA' ? { ...one, country: 'US' } : undefined),
  verdict: (one) => (isOf(one, 'unreported') ? asService(one, 'REGULAR') : undefined),
  direct_send: (one) => (isOf(one, 'direct') ? asService(one, 'FREE_CUSTOMER_SERVICE') : undefined),
  group: (one) => (isOf(one, 'group') ? { ...one, category: 'MARKETING' } : undefined),
  read_only: (one) => (isOf(one, 'read_only') ? null : undefined),
};
/** Messages that only Meta counts. */
const ONLY_METAS: Partial<Record<ExplanationCode, readonly Counted[]>> = {
  no_outcome: truth.filter((one) => isOf(one, 'no_status')),
  unknown_waba: truth.filter((one) => isOf(one, 'no_account')),
  echo: withEchoes.filter((one) => isOf(one, 'echo')).map((one) => asService(one, 'FREE_CUSTOMER_SERVICE')),
};

interface Mixed {
  readonly metas: readonly Counted[];
  /** By row, how much each error moves our volume beyond Meta's. */
  readonly moved: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

type Key = Pick<Counted, 'day' | 'phone_number' | 'country' | 'category' | 'pricing_type' | 'tier'>;
const keyOf = (row: Key): string =>
  [row.day, row.phone_number, row.country, row.category, row.pricing_type, row.tier].join(' ');

/** Whether Meta charges another price for the messages of a row. */
const isRepriced = ({ country, category, pricing_type, day }: Key): boolean =>
  country === 'KZ' && category === 'MARKETING' && pricing_type === 'REGULAR' && day >= REPRICED_FROM;
/** Whether the messages of a row have no amount here; Meta's is that of the card without the hole. */
const isUnrated = ({ country, category, pricing_type }: Key): boolean =>
  country === 'IN' && category === 'AUTHENTICATION' && pricing_type === 'REGULAR';

/** Meta's month with a share of the messages of each error counted otherwise. */
function mix(codes: readonly ExplanationCode[], share: number, seed: number): Mixed {
  const prng = new Prng(seed);
  const metas: Counted[] = [];
  const moved = new Map<string, Map<string, number>>();
  const move = (message: Counted, code: string, by: number): void => {
    const row = moved.get(keyOf(message)) ?? new Map<string, number>();
    moved.set(keyOf(message), row.set(code, (row.get(code) ?? 0) + by));
  };
  for (const message of ours) {
    const code = codes.find((one) => ERRORS[one]?.(message) !== undefined && prng.chance(share));
    const other = code === undefined ? message : (ERRORS[code]?.(message) ?? null);
    if (other !== null) metas.push(other);
    if (code === undefined) continue;
    move(message, code, 1);
    if (other !== null) move(other, code, -1);
  }
  for (const code of codes)
    for (const message of ONLY_METAS[code] ?? [])
      if (prng.chance(share)) {
        metas.push(message);
        move(message, code, -1);
      }
  return { metas: metas.map((one) => (isRepriced(one) ? { ...one, cost: new Decimal('0.06') } : one)), moved };
}

/** The errors that move a row the most in the direction in which it differs. */
function causesOf({ row }: ExplainedRow, { moved }: Mixed): string[] {
  const by = [...(moved.get(keyOf(row)) ?? [])].map(([code, n]) => [
    code,
    n * Math.sign(Number(row.volume_difference)),
  ]);
  const most = Math.max(...by.map(([, n]) => Number(n)));
  return by.flatMap(([code, n]) => (n === most ? [String(code)] : []));
}

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, one) => total + one, 0n);
const sizeOf = (amount: bigint): bigint => (amount < 0n ? -amount : amount);

/** All messages of both sides are in the rows, and no row has more of its difference explained than there is. */
function expectConserved({ rows }: Awaited<ReturnType<typeof reconcileMonth>>, { metas }: Mixed): void {
  expect(sum(rows.map(({ row }) => row.our_volume))).toBe(BigInt(ours.length));
  expect(sum(rows.map(({ row }) => row.meta_volume))).toBe(BigInt(metas.length));
  const cost = metas.reduce((total, one) => total.plus(one.cost ?? 0), new Decimal(0));
  expect(sum(rows.map(({ row }) => row.meta_cost ?? 0n)).toString()).toBe(cost.times('1e12').toFixed());
  for (const { row, explanations } of rows) {
    const explained = sum(explanations.map(({ volume }) => volume));
    expect(explained <= sizeOf(row.volume_difference)).toBe(true);
    expect(new Set(explanations.map(({ code }) => code)).size).toBe(explanations.length);
  }
}

const ALL: readonly ExplanationCode[] = [
  'midnight',
  'tier',
  'country',
  'verdict',
  'direct_send',
  'group',
  'read_only',
  'no_outcome',
  'unknown_waba',
  'echo',
];

describe('errors of several kinds in one month', () => {
  it.each<[number, readonly ExplanationCode[]]>([
    [0.5, ['verdict', 'no_outcome', 'read_only']],
    [0.3, ['read_only', 'no_outcome', 'country', 'echo']],
    [0.3, ['midnight', 'country', 'no_outcome', 'group']],
    [0.5, ['midnight', 'tier', 'verdict', 'direct_send', 'group']],
    [0.1, ALL],
  ])('in %f of the messages are told apart: %j', async (share, codes) => {
    const mixed = mix(codes, share, 3);
    await importMetaAnswers(ledger.database, [file('meta.json', answer(pointsOf(mixed.metas)))], OPTIONS);
    const month = await reconcileMonth(ledger.database, { waba_id: WABA, month: MONTH }, DEFAULT_TOLERANCE);
    expectConserved(month, mixed);

    const first = ({ explanations }: ExplainedRow): string => explanations[0]?.code ?? 'unexplained';
    const priced = month.rows.filter(({ row }) => row.status === 'price');
    const prices = priced.map(
      (one) => `${isUnrated(one.row) ? 'unrated' : isRepriced(one.row) ? 'rate' : ''}: ${first(one)}`,
    );
    expect(new Set(prices)).toEqual(new Set(['unrated: unrated', 'rate: rate']));

    const differing = month.rows.filter(({ row }) => row.volume_difference !== 0n && row.status !== 'price');
    expect(differing.length).toBeGreaterThan(200);
    const wrong = differing
      .filter((one) => !causesOf(one, mixed).includes(first(one)))
      .map((one) => `${causesOf(one, mixed).join(' or ')}, and not ${first(one)}`);
    expect({ wrong: wrong.length > differing.length * 0.05 ? wrong.toSorted() : [] }).toEqual({ wrong: [] });
  });
});

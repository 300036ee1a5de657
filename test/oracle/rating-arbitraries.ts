/**
 * Worlds of money nastier than reality, for comparing implementations of section 5 of rules.md: events, accounts and
 * imported rate files, so that the whole way from a status to an amount is compared. The choices are made as in
 * arbitraries.ts: the first option is always the plainest, so that a failing case becomes plain.
 */
import fc from 'fast-check';
import { DEFAULT_POLICY_SETTINGS, type Account, type PolicySettings } from '../../schemas/config.ts';
import { type Choose, type Event, one, reading, seeded, tapeArbitrary } from './choices.ts';
import { baseFile, laterFile, marketsIn } from './money-files.ts';
import { group } from './money-scenes.ts';
import { CURRENCIES, DAY, HOUR, makeAccounts, makeWorld, midnight, SAMPLE_MARKETS } from './money-world.ts';
import { type MarketOf, marketsOf, PRICE_COLUMNS, type PriceColumn, type RateFile } from './rating.ts';

export interface MoneyWorld {
  /** Raw events as in contract.md 1, all valid in shape. */
  readonly events: readonly unknown[];
  readonly accounts: readonly Account[];
  readonly policy: PolicySettings;
  /** In the order in which they were imported; no two have one name. */
  readonly cards: readonly RateFile[];
}

export interface MoneyOptions {
  /** Most groups of events in each world. Default 10. */
  readonly maxGroups?: number;
  /** Worlds that lie side by side: they share rate files and portfolios, but neither WABAs nor numbers. Default 1. */
  readonly worlds?: number;
  /** Decides which markets the rate files have. Default: `SAMPLE_MARKETS`. */
  readonly marketOf?: MarketOf;
}

// ---------------------------------------------------------------------------------------------------------------------
// Worlds.

/** What one world is made from: few numbers for the world and its accounts, and some for each file and group. */
interface Choices {
  readonly world: Choose;
  readonly base: readonly Choose[];
  readonly later: readonly Choose[];
  readonly groups: readonly Choose[];
}

const BASE_FILES = 3 * CURRENCIES.length;

/** Worlds in one. Of rate files for one currency and date the last world's holds, for all of them. */
function sideBySide(choices: readonly Choices[], marketOf: MarketOf): MoneyWorld {
  const worlds = choices.map((choices, i) => makeWorld(String(i + 1), choices.world));
  const markets = marketsIn(worlds, marketOf);
  const parts = worlds.map((world, i) => {
    const { world: choose, base, later, groups } = choices[i]!;
    return {
      accounts: makeAccounts(world, choose),
      base: base.map((choose, index) => baseFile(world, markets, index, choose)),
      later: later.reduce<RateFile[]>(
        (files, choose, index) => [...files, laterFile(world, markets, index, files[index - 1], choose)],
        [],
      ),
      events: groups.flatMap((choose, index) => group(world, index, choose)),
    };
  });
  const files = [...(parts[0]?.base ?? []), ...parts.flatMap((part) => part.later)];
  return {
    events: parts.flatMap((part) => part.events),
    accounts: parts.flatMap((part) => part.accounts),
    policy: { ...DEFAULT_POLICY_SETTINGS, echoes: one(choices[0]!.world, ['apart', 'counted']) },
    cards: files.filter((file) => file !== undefined),
  };
}

/** Events in any order, accounts and rate files. */
export function moneyWorlds(options: MoneyOptions = {}): fc.Arbitrary<MoneyWorld> {
  const { maxGroups = 10, worlds = 1, marketOf = marketsOf(SAMPLE_MARKETS) } = options;
  const tapes = (length: number, least: number, most: number): fc.Arbitrary<number[][]> =>
    fc.array(tapeArbitrary(length), { minLength: least, maxLength: most, size: 'max' });
  const world = fc.record({
    world: tapeArbitrary(40),
    base: tapes(120, BASE_FILES, BASE_FILES),
    later: tapes(80, 0, 6),
    groups: tapes(140, 1, maxGroups),
  });
  const read = (tapes: readonly number[][]): Choose[] => tapes.map((tape) => reading(tape));
  return fc
    .array(world, { minLength: worlds, maxLength: worlds, size: 'max' })
    .map((made) => {
      const choices = made.map(({ world, base, later, groups }) => ({
        world: reading(world),
        base: read(base),
        later: read(later),
        groups: read(groups),
      }));
      return sideBySide(choices, marketOf);
    })
    .chain((world) =>
      fc
        .shuffledSubarray([...world.events], { minLength: world.events.length, maxLength: world.events.length })
        .map((events) => ({ ...world, events })),
    );
}

/** What the worlds of `randomMoney` hold, about. */
const EVENTS_OF_A_WORLD = 190;

/** About `size` events from a seed, without fast-check: many worlds side by side, shuffled. */
export function randomMoney(seed: number, size: number, marketOf: MarketOf = marketsOf(SAMPLE_MARKETS)): MoneyWorld {
  const choose = seeded(seed);
  const many = (n: number): Choose[] => Array.from({ length: n }, () => choose);
  const worlds = Array.from({ length: Math.max(1, Math.round(size / EVENTS_OF_A_WORLD)) }, () => ({
    world: choose,
    base: many(BASE_FILES),
    later: many(choose(7)),
    groups: many(6 + choose(30)),
  }));
  const all = sideBySide(worlds, marketOf);
  const events = [...all.events];
  for (let i = events.length - 1; i > 0; i--) {
    const j = choose(i + 1);
    [events[i], events[j]] = [events[j], events[i]];
  }
  return { ...all, events };
}

// ---------------------------------------------------------------------------------------------------------------------
// Over the allowance.

export interface AllowanceOptions {
  /** Decides the month: the number's allowance of 2026-10, or the WABA's of 2024-01. */
  readonly policy: 'PMP-2026-10' | 'CBP-2023-06';
  /** Messages of customers who clicked no ad. Default 1,060. */
  readonly charged?: number;
  /** Messages of customers who clicked one, spread between them. Default 60. */
  readonly free?: number;
}

/**
 * More service messages than are free, all with one price: of one number through two WABAs, or of one WABA through two
 * numbers, and a few of another. Most come in bursts at one second, so that numbers and ids decide who is first. Among
 * them are messages in free entry windows, echoes and reactions, messages that Meta reports as charged or as free, and
 * some that it reports as of another category.
 */
export function allowanceWorld({ policy, charged = 1060, free = 60 }: AllowanceOptions): MoneyWorld {
  const isPerMessage = policy === 'PMP-2026-10';
  const wabas = ['102290129340398', '202290129340398'] as const;
  const numbers = ['99', '106540352242922'] as const;
  const zone = 'America/Sao_Paulo';
  const start = midnight(isPerMessage ? '2026-10-01' : '2024-01-01', zone);
  const next = midnight(isPerMessage ? '2026-11-01' : '2024-02-01', zone);
  const events: Event[] = [];
  /** Who sends the n-th message, and to whom. */
  const thread = (n: number): Event => ({
    waba_id: wabas[isPerMessage && n % 3 === 0 ? 1 : 0],
    phone_number_id: numbers[!isPerMessage && n % 3 === 0 ? 1 : 0],
    wa_id: `55119555${String(n).padStart(5, '0')}`,
  });
  const say = (direction: string, n: number, t: number, fields: Event = {}): Event => {
    const mark = n % 2 === 0 ? '\u{ff21}' : '\u{1d400}';
    const id = `wamid.${mark}${n}.${events.length}`;
    const event = { event: 'message', direction, ...thread(n), id, timestamp: t, type: 'text', ...fields };
    events.push(event);
    return event;
  };
  const deliver = (of: Event, t: number, fields: Event = {}): void => {
    const { waba_id, phone_number_id, wa_id, id } = of as { [name: string]: string };
    events.push({
      event: 'status',
      ...{ waba_id, phone_number_id, wa_id, id },
      status: 'delivered',
      timestamp: t,
      ...fields,
    } as Event);
  };
  const reported = (type: string, category: string): Event => ({
    pricing: isPerMessage
      ? { pricing_model: 'PMP', type, category }
      : { pricing_model: 'CBP', billable: type === 'regular', category },
  });
  const utility = { type: 'template', template: { name: 'follow_up', category: 'utility' } };

  const every = Math.max(1, Math.floor(charged / Math.max(1, free)));
  let freed = 0;
  for (let n = 0; n < charged; n++) {
    const t = start + Math.floor(n / 90) * HOUR;
    if (n % every === 0 && freed < free) {
      freed += 1;
      const who = charged + n;
      say('inbound', who, t - 60, { referral: { source_type: 'ad', source_id: '7' } });
      deliver(say('outbound', who, t), t);
    }
    if (n % 101 === 7) say('outbound', n, t, { origin: 'app' });
    else if (n % 103 === 9) deliver(say('outbound', n, t), t, reported('regular', 'service'));
    else if (n % 107 === 11) deliver(say('outbound', n, t), t, reported('free_customer_service', 'service'));
    else if (n % 109 === 13) deliver(say('outbound', n, t, { type: 'reaction' }), t);
    else if (n % 113 === 15) deliver(say('outbound', n, t, utility), t, reported('regular', 'service'));
    else if (n % 127 === 17) deliver(say('outbound', n, t), t, reported('regular', 'utility'));
    else deliver(say('outbound', n, t), t);
  }
  // The last second of the month before, and the first of the next one, which has an allowance of its own.
  for (const [i, t] of [start - 1, next - 1, next].entries()) deliver(say('outbound', 4 * charged + i, t), t);
  // The other number, or the other WABA, which is nowhere near its own.
  for (let n = 0; n < 20; n++) {
    const [waba_id, phone_number_id] = isPerMessage ? [wabas[0], numbers[1]] : [wabas[1], numbers[0]];
    deliver(say('outbound', 5 * charged + n, next - DAY, { waba_id, phone_number_id }), next - DAY);
  }

  const rows = [{ market: 'Brazil', rates: { service: '0.0035', utility: '0.02' } }];
  const facts = { currency: 'BRL', effective_date: '2023-06-01', withdrawn: false };
  return {
    events,
    accounts: wabas.map((waba_id) => ({ waba_id, time_zone: zone, currency: 'BRL' })),
    policy: DEFAULT_POLICY_SETTINGS,
    cards: [
      { ...facts, kind: 'list', model: 'message', name: 'per-message', rows },
      { ...facts, kind: 'list', model: 'conversation', name: 'per-conversation', rows },
    ],
  };
}

// ---------------------------------------------------------------------------------------------------------------------
// Rate files as Meta prints them (contract.md 6).

function quoted(cell: string): string {
  return /[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

function csv(rows: readonly (readonly string[])[]): string {
  return rows.map((cells) => `${cells.map(quoted).join(',')}\n`).join('');
}

const COLUMN_NAMES: Readonly<Record<PriceColumn, string>> = {
  marketing: 'Marketing',
  utility: 'Utility',
  authentication: 'Authentication',
  authentication_international: 'Authentication-\nInternational',
  service: 'Service',
};

/** The text of the file from which a card or its tiers are imported. */
export function fileText(file: RateFile): string {
  if (file.kind === 'tiers') {
    return csv([
      ['Market', 'Currency', 'Message type', 'From', 'To', 'Rate'],
      ...file.rows.map((row) => [
        row.market,
        file.currency,
        COLUMN_NAMES[row.category].replace('\n', ''),
        String(row.from),
        row.to === null ? 'MAX' : String(row.to),
        row.rate,
      ]),
    ]);
  }
  return csv([
    [`Cost per ${file.model} in ${file.currency}`, '', '', '', '', '', ''],
    ['Market', 'Currency', ...PRICE_COLUMNS.map((column) => COLUMN_NAMES[column])],
    ...file.rows.map((row) => [
      row.market,
      file.currency,
      ...PRICE_COLUMNS.map((column) => row.rates[column] ?? 'n/a'),
    ]),
  ]);
}

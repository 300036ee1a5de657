import {
  META_COUNTS,
  spendImportSchema,
  type AdLabel,
  type AdSpend,
  type PlannedSpendImport,
  type SpendFile,
  type SpendImport,
  type SpendMapping,
  type TypedSpend,
} from '@ctwa-ledger/schemas/spend.ts';
import { z } from 'zod';
import { BrokenFileError } from '../imports/broken-file.ts';
import {
  importGiven,
  importId,
  previewGiven,
  registeredColumns,
  sha256,
  withdrawImport,
  type GivenFile,
  type ImportKind,
} from '../imports/register.ts';
import { Problems } from '../imports/rows.ts';
import type { Database } from '../clickhouse/database.ts';
import { scaled, unscaled } from '../imports/decimals.ts';
import { parseSpendFile } from './spend-file.ts';

/** An export and what was given with it. */
export interface GivenSpendFile extends GivenFile {
  /** The mapping of headings that are not recognised. */
  readonly mapping?: SpendMapping;
}

const NO_MAPPING: SpendMapping = { columns: {} };

/** Imports that are not withdrawn, the latest first. */
const STANDING = `SELECT import_id, name, imported_at FROM spend_imports FINAL WHERE withdrawn_at IS NULL`;

/**
 * The cost of ads: of several imports for the same ad, days and currency the last one is in force. Different amounts of
 * an ad never overlap in days, so they are simply added up.
 */
export const SPEND_IN_FORCE = `SELECT import_id, ad_id, first_day, last_day, currency, amount, ${META_COUNTS.join(', ')}
  FROM (SELECT * FROM ad_spend FINAL) AS spend INNER JOIN (${STANDING}) AS standing USING import_id
  ORDER BY standing.imported_at DESC, import_id
  LIMIT 1 BY ad_id, currency, first_day, last_day`;

/** Names of ads, each from the last import that has one. */
export const LABELS_IN_FORCE = `SELECT ad_id,
    argMaxIf(labels.ad_name, standing.imported_at, labels.ad_name != '') AS ad_name,
    argMaxIf(labels.adset_name, standing.imported_at, labels.adset_name != '') AS adset_name,
    argMaxIf(labels.campaign_name, standing.imported_at, labels.campaign_name != '') AS campaign_name
  FROM (SELECT * FROM ad_labels FINAL) AS labels INNER JOIN (${STANDING}) AS standing USING import_id
  GROUP BY ad_id`;

/** All imports, the latest first. */
export function listSpendImports(database: Database): Promise<SpendImport[]> {
  return database.query(
    spendImportSchema,
    `SELECT import_id, name, checksum, ${registeredColumns('spend_imports')},
        multiIf(spend_imports.withdrawn_at IS NOT NULL, 'withdrawn', rows > 0 AND rows_in_force = 0, 'replaced', 'holds') AS state,
        toUInt32(named.ads) AS ads, toUInt32(spent.rows) AS rows, toUInt32(in_force.rows) AS rows_in_force,
        if(rows = 0, NULL, toString(spent.first_day)) AS first_day, if(rows = 0, NULL, toString(spent.last_day)) AS last_day,
        arrayMap(total -> CAST(total, 'Tuple(currency String, amount String)'), spent.totals) AS totals
     FROM spend_imports FINAL
     LEFT JOIN
     (
       SELECT import_id, sum(n) AS rows, min(first) AS first_day, max(last) AS last_day,
         arraySort(groupArray((toString(currency), toString(total)))) AS totals
       FROM
       (
         SELECT import_id, currency, count() AS n, min(first_day) AS first, max(last_day) AS last, sum(toDecimal128(amount, 8)) AS total
         FROM ad_spend FINAL GROUP BY import_id, currency
       )
       GROUP BY import_id
     ) AS spent USING import_id
     LEFT JOIN (SELECT import_id, count() AS rows FROM (${SPEND_IN_FORCE}) GROUP BY import_id) AS in_force USING import_id
     LEFT JOIN
     (
       SELECT import_id, uniqExact(ad_id) AS ads
       FROM (SELECT import_id, ad_id FROM ad_spend FINAL UNION ALL SELECT import_id, ad_id FROM ad_labels FINAL)
       GROUP BY import_id
     ) AS named USING import_id
     ORDER BY spend_imports.imported_at DESC, import_id`,
  );
}

const standingRow = z.object({
  import_id: z.string(),
  name: z.string(),
  ad_id: z.string(),
  currency: z.string(),
  first_day: z.string(),
  last_day: z.string(),
  amount: z.string(),
  counts: z.array(z.string()),
});
type StandingRow = z.infer<typeof standingRow>;

/** The amounts in force between the first and the last day of some amounts, by ad and currency. */
async function standingSpend(
  database: Database,
  spend: readonly AdSpend[],
): Promise<ReadonlyMap<string, readonly StandingRow[]>> {
  const days = { first: firstDay(spend), last: lastDay(spend) };
  if (days.first === null || days.last === null) return new Map();
  const rows = await database.query(
    standingRow,
    `SELECT import_id, name, ad_id, toString(currency) AS currency, toString(held.first_day) AS first_day,
        toString(held.last_day) AS last_day, toString(amount) AS amount,
        [${META_COUNTS.map((count) => `ifNull(toString(${count}), '')`).join(', ')}] AS counts
     FROM (${SPEND_IN_FORCE}) AS held INNER JOIN (${STANDING}) AS standing USING import_id
     WHERE held.first_day <= {last:Date} AND held.last_day >= {first:Date}`,
    { first: days.first, last: days.last },
  );
  const byAd = new Map<string, StandingRow[]>();
  for (const row of rows) {
    const known = byAd.get(keyOf(row));
    if (known === undefined) byAd.set(keyOf(row), [row]);
    else known.push(row);
  }
  return byAd;
}

const keyOf = ({ ad_id, currency }: Pick<AdSpend, 'ad_id' | 'currency'>): string => `${ad_id} ${currency}`;

function firstDay(spend: readonly AdSpend[]): string | null {
  return spend.reduce<string | null>((day, row) => (day === null || row.first_day < day ? row.first_day : day), null);
}

function lastDay(spend: readonly AdSpend[]): string | null {
  return spend.reduce<string | null>((day, row) => (day === null || row.last_day > day ? row.last_day : day), null);
}

function totalsOf(spend: readonly AdSpend[]): { readonly currency: string; readonly amount: string }[] {
  const totals = new Map<string, bigint>();
  for (const { currency, amount } of spend) totals.set(currency, (totals.get(currency) ?? 0n) + scaled(amount));
  return [...totals]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([currency, amount]) => ({ currency, amount: unscaled(amount) }));
}

/** Unknown ads that a preview lists. */
const MAX_UNKNOWN_ADS = 20;

/** Ads of a file that no message of a customer came from. */
async function unknownAds(database: Database, file: SpendFile): Promise<string[]> {
  const seen = await database.query(z.object({ ad_id: z.string() }), 'SELECT DISTINCT ad_id FROM ad_referrals');
  const known = new Set(seen.map(({ ad_id }) => ad_id));
  const named = new Set([...file.spend, ...file.labels].map(({ ad_id }) => ad_id));
  return [...named].filter((ad_id) => !known.has(ad_id)).sort();
}

const labelRow = z.object({
  ad_id: z.string(),
  ad_name: z.string(),
  adset_name: z.string(),
  campaign_name: z.string(),
});

/** Whether every name of a file is the current name of its ad: a later import may have others. */
async function isNaming(database: Database, { labels }: SpendFile): Promise<boolean> {
  if (labels.length === 0) return true;
  const rows = await database.query(labelRow, `SELECT * FROM (${LABELS_IN_FORCE})`);
  const inForce = new Map(rows.map((row) => [row.ad_id, row]));
  return labels.every((label) => {
    const held = inForce.get(label.ad_id);
    return (['ad_name', 'adset_name', 'campaign_name'] as const).every(
      (column) => label[column] === '' || label[column] === held?.[column],
    );
  });
}

/** The content of a file or a typed amount. */
interface ReadSpend {
  readonly given: GivenFile;
  readonly import_id: string;
  readonly file: SpendFile;
}

/**
 * What an import would do.
 * @throws BrokenFileError when days of an ad overlap with others in force: both would be counted
 */
async function plan({ given, import_id, file }: ReadSpend, database: Database): Promise<PlannedSpendImport> {
  const [imports, standing, unknown, is_naming] = await Promise.all([
    listSpendImports(database),
    standingSpend(database, file.spend),
    unknownAds(database, file),
    isNaming(database, file),
  ]);
  const held = imports.find((one) => one.import_id === import_id && one.state !== 'withdrawn');
  const problems = new Problems();
  let [replaced, changed, newly_counted] = [0, 0, 0];
  for (const row of file.spend)
    for (const other of standing.get(keyOf(row)) ?? []) {
      const isSame = other.first_day === row.first_day && other.last_day === row.last_day;
      if (other.import_id === import_id) {
        // A file that was imported before counts were read has them now.
        if (isSame && META_COUNTS.some((count, i) => (row.counts?.[count] ?? '') !== other.counts[i])) newly_counted++;
        continue;
      }
      if (isSame) {
        replaced++;
        if (scaled(other.amount) !== scaled(row.amount)) changed++;
      } else if (other.first_day <= row.last_day && other.last_day >= row.first_day)
        problems.add(
          null,
          null,
          `Ad ${row.ad_id} has ${row.currency} for ${row.first_day} to ${row.last_day} here and for ${other.first_day} to ${other.last_day} in ${other.name}, so days would be counted twice: import the same days, or withdraw ${other.import_id} first.`,
        );
    }
  if (!problems.isEmpty) throw new BrokenFileError(given.name, problems.result());
  return {
    import_id,
    outcome:
      held !== undefined && held.rows_in_force === held.rows && is_naming && newly_counted === 0
        ? 'unchanged'
        : 'imported',
    ads: new Set([...file.spend, ...file.labels].map(({ ad_id }) => ad_id)).size,
    rows: file.spend.length,
    added_up: file.added_up,
    passed_over: file.passed_over,
    replaced,
    changed,
    first_day: firstDay(file.spend),
    last_day: lastDay(file.spend),
    totals: totalsOf(file.spend),
    unknown_ads: unknown.slice(0, MAX_UNKNOWN_ADS),
    unknown_ads_total: unknown.length,
  };
}

/** Advice about unknown headings. */
const MAP_THEM =
  'Say which column is which with --column, like --column ad_id="…" --column amount="…" --column day="…", or keep that with "ctwa-ledger spend map NAME --column …" and give --mapping NAME.';

async function readFile(given: GivenSpendFile): Promise<ReadSpend> {
  const { name, bytes, mapping = NO_MAPPING } = given;
  const file = await parseSpendFile(bytes, mapping);
  if (!file.ok)
    throw file.headings === undefined ? new BrokenFileError(name, file) : new BrokenFileError(name, file, MAP_THEM);
  // The bytes and the way they were read identify an import.
  const checksum = sha256(bytes);
  const isMapped = Object.keys(mapping.columns).length > 0 || mapping.currency !== undefined;
  const import_id = isMapped
    ? importId(checksum, Object.entries(mapping.columns).sort(), mapping.currency ?? null)
    : checksum.slice(0, 12);
  return { given, import_id, file };
}

function readTyped(typed: TypedSpend): ReadSpend {
  const { ad_name, ...spend } = typed;
  const text = JSON.stringify(['typed', typed]);
  return {
    given: { name: `typed: ad ${typed.ad_id}`, bytes: Buffer.from(text) },
    import_id: sha256(text).slice(0, 12),
    file: {
      spend: [spend],
      labels: ad_name === '' ? [] : [{ ad_id: typed.ad_id, ad_name, adset_name: '', campaign_name: '' }],
      added_up: 0,
      passed_over: 0,
    },
  };
}

const labelRowOf = (import_id: string, { ad_id, ad_name, adset_name, campaign_name }: AdLabel): string[] => [
  import_id,
  ad_id,
  ad_name,
  adset_name,
  campaign_name,
];

const spendRowOf = (
  import_id: string,
  { ad_id, first_day, last_day, currency, amount, counts }: AdSpend,
): (string | null)[] => [
  import_id,
  ad_id,
  first_day,
  last_day,
  currency,
  amount,
  ...META_COUNTS.map((count) => counts?.[count] ?? null),
];

export const AD_SPEND: ImportKind<GivenSpendFile | TypedSpend, ReadSpend, PlannedSpendImport, SpendImport> = {
  table: 'spend_imports',
  id: 'import_id',
  noun: 'import',
  listedBy: 'ctwa-ledger spend list',
  touches: ['ad_spend', 'ad_labels'],
  list: listSpendImports,
  read: (given) => ('bytes' in given ? readFile(given) : Promise.resolve(readTyped(given))),
  plan,
  changes({ given, import_id, file }, { outcome }) {
    if (outcome === 'unchanged') return { files: [], imports: [] };
    const labels = {
      table: 'ad_labels',
      columns: ['import_id', 'ad_id', 'ad_name', 'adset_name', 'campaign_name'],
      rows: file.labels.map((label) => labelRowOf(import_id, label)),
    };
    const spend = {
      table: 'ad_spend',
      columns: ['import_id', 'ad_id', 'first_day', 'last_day', 'currency', 'amount', ...META_COUNTS],
      rows: file.spend.map((row) => spendRowOf(import_id, row)),
    };
    const entry = { import_id, name: given.name, checksum: sha256(given.bytes) };
    return { files: [given], imports: [{ entry, rows: [labels, spend] }] };
  },
};

/**
 * What importing a file would do. Writes nothing.
 * @throws BrokenFileError that names every place that cannot be read, or every ad whose days overlap
 */
export async function previewSpendFile(database: Database, file: GivenSpendFile): Promise<PlannedSpendImport> {
  return (await previewGiven(database, AD_SPEND, file)).planned;
}

/**
 * Imports a file as a whole or not at all. Importing the file in force changes nothing; importing a withdrawn or
 * replaced one puts it in force again.
 * @param by who imports it
 * @throws BrokenFileError that names every place that cannot be read, or every ad whose days overlap
 */
export function importSpendFile(
  database: Database,
  file: GivenSpendFile & { readonly by: string },
): Promise<PlannedSpendImport> {
  return importGiven(database, AD_SPEND, file, file.by);
}

/**
 * Imports one typed amount. It replaces the amount in force for the same ad and days.
 * @throws BrokenFileError when its days overlap with others in force
 */
export function importTypedSpend(database: Database, typed: TypedSpend, by: string): Promise<PlannedSpendImport> {
  return importGiven(database, AD_SPEND, typed, by);
}

/**
 * Withdraws an import: it stays listed, and what it replaced is in force again.
 * @returns the import after the change
 * @throws ActionableError when there is none with that id
 */
export async function withdrawSpendImport(database: Database, import_id: string, by: string): Promise<SpendImport> {
  return (await withdrawImport(database, AD_SPEND, import_id, by)).now;
}

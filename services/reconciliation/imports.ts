import {
  isCounted,
  metaImportSchema,
  type DayCut,
  type DoneMetaImport,
  type MetaField,
  type MetaImport,
} from '@ctwa-ledger/schemas/meta.ts';
import { z } from 'zod';
import { BrokenFileError } from '../imports/broken-file.ts';
import {
  importGiven,
  importId,
  registeredColumns,
  sha256,
  withdrawImport,
  type ImportKind,
  type NewImport,
} from '../imports/register.ts';
import { Problems } from '../imports/rows.ts';
import { readConfiguration } from '../ledger/configuration/configuration.ts';
import type { Database } from '../clickhouse/database.ts';
import { ActionableError } from '../clickhouse/errors.ts';
import { amountText } from './amounts.ts';
import { readAnswers, type About, type Answer, type GivenAnswer } from './answers.ts';
import { META_IN_FORCE } from './in-force.ts';
import { readLines, type KeptLine } from './lines.ts';
import { countMessages, type CountedMessages, type CountsAbout } from './message-counts.ts';
import { countPoints, type AskedDays, type CountedAnswer, type CountedPoint } from './points.ts';

/** How to read answers. */
export interface MetaImportOptions extends About {
  readonly days: DayCut;
  /** The requested days; null = those that the points name. */
  readonly asked: AskedDays | null;
  /** Facts about an answer of `analytics` that does not contain them. */
  readonly counts?: CountsAbout;
  /** Who imports them. */
  readonly by: string;
  /** Whether these are Meta's current numbers, later than all before. A file may be an old one. */
  readonly is_fetched?: boolean;
}

/** All imports, the latest first. */
export function listMetaImports(database: Database): Promise<MetaImport[]> {
  return database.query(
    metaImportSchema,
    `SELECT import_id, waba_id, toString(field) AS field, name, checksums, toString(days) AS days, time_zone,
        arrayMap(dimension -> toString(dimension), meta_imports.dimensions) AS dimensions,
        if(empty(first_days), NULL, toString(arrayMin(first_days))) AS first_day,
        if(empty(last_days), NULL, toString(arrayMax(last_days))) AS last_day,
        toUInt32(points) AS points, toString(volume) AS volume, toString(cost) AS cost,
        multiIf(meta_imports.withdrawn_at IS NOT NULL, 'withdrawn',
          field IN ('pricing_analytics', 'conversation_analytics')
            AND import_id NOT IN (SELECT import_id FROM (${META_IN_FORCE})), 'replaced', 'holds') AS state,
        ${registeredColumns('meta_imports')}
     FROM meta_imports FINAL
     ORDER BY meta_imports.imported_at DESC, import_id`,
  );
}

/** One account and field of an import, with the files that it comes from. */
interface ReadAnswer {
  readonly import_id: string;
  readonly field: MetaField;
  readonly waba_id: string;
  readonly name: string;
  readonly checksums: readonly string[];
  readonly time_zone: string;
  /** Null when the answer is stored line by line. */
  readonly counted: CountedAnswer | null;
  readonly lines: readonly KeptLine[];
  /** The counted messages besides the lines; null when there are none. */
  readonly messages: CountedMessages | null;
  readonly note: string | null;
}

interface Page {
  readonly answer: Answer;
  readonly name: string;
  readonly checksum: string;
}

/** Answers with their further pages, in the order of the files. */
function inPages(files: readonly GivenAnswer[], about: About): Page[][] {
  const groups: Page[][] = [];
  let open: Page | null = null;
  const isCut = ({ name }: Page): never => {
    const problems = new Problems();
    problems.add(
      null,
      null,
      'It is one page of an answer that goes on ("paging.next"), and its next page was not given.',
    );
    throw new BrokenFileError(name, problems.result(), 'Give all its pages in one command, in their order.');
  };
  for (const file of files) {
    const problems = new Problems();
    const answers = readAnswers(file, about, open?.answer ?? null, problems);
    if (!problems.isEmpty) throw new BrokenFileError(file.name, problems.result());
    const checksum = sha256(file.bytes);
    for (const answer of answers) {
      const page: Page = { answer, name: file.name, checksum };
      const goesOn = open?.answer.field === answer.field && open.answer.waba_id === answer.waba_id;
      if (open !== null && !goesOn) isCut(open);
      if (goesOn) groups.at(-1)?.push(page);
      else groups.push([page]);
      open = answer.continues ? page : null;
    }
  }
  if (open !== null) isCut(open);
  return groups;
}

function noteOn(answer: Pick<ReadAnswer, 'field' | 'waba_id'>, pages: readonly Page[]): string | null {
  if (pages.some(({ answer: { body } }) => body !== null)) return null;
  return `Account ${answer.waba_id} has no ${answer.field} in it: that is either nothing on these days, or a missing permission. It counts as nothing.`;
}

function readGroup(pages: readonly Page[], zones: ReadonlyMap<string, string>, options: MetaImportOptions): ReadAnswer {
  const [first] = pages;
  if (first === undefined) throw new TypeError('An answer has a page.');
  const { field, waba_id } = first.answer;
  const time_zone = zones.get(waba_id) ?? 'UTC';
  const problems = new Problems();
  const answers = pages.map(({ answer }) => answer);
  const cut = { days: options.days, time_zone, asked: options.asked };
  const counted = isCounted(field) ? countPoints(answers, field, cut, problems) : null;
  const lines = isCounted(field) ? [] : readLines(answers, problems);
  const messages = field === 'analytics' ? countMessages(answers, options.counts ?? {}, cut, problems) : null;
  const names = [...new Set(pages.map(({ name }) => name))];
  if (!problems.isEmpty) throw new BrokenFileError(names.join(', '), problems.result());
  const checksums = [...new Set(pages.map(({ checksum }) => checksum))];
  const hasDays = isCounted(field) || field === 'analytics';
  const how = hasDays ? [options.days, options.days === 'utc' ? 'UTC' : time_zone, options.asked] : [];
  if (field === 'analytics' && options.counts !== undefined) how.push(JSON.stringify(options.counts));
  return {
    import_id: importId(checksums, waba_id, field, how),
    field,
    waba_id,
    name: names.join(', '),
    checksums,
    time_zone,
    counted,
    lines,
    messages,
    note: noteOn({ field, waba_id }, pages),
  };
}

/** Refuses two answers in one command for the same day, because it is not known which one is later. */
function refuseOverlaps(answers: readonly ReadAnswer[]): void {
  const said = new Map<string, ReadAnswer>();
  for (const answer of answers) {
    if (answer.counted === null) continue;
    const { dimensions, points } = answer.counted;
    for (const { day, phone_number } of points) {
      const key = [answer.waba_id, answer.field, dimensions.join(), day, phone_number].join('\n');
      const other = said.get(key) ?? answer;
      if (other.import_id !== answer.import_id)
        throw new ActionableError(
          `${other.name} and ${answer.name} both speak of ${day} of account ${answer.waba_id}, so nothing was imported: import them one after the other, the one that holds last.`,
        );
      said.set(key, answer);
    }
  }
}

/** The days that an answer covers: the first and the last of each range. */
function stretchesOf({ counted, messages }: ReadAnswer): readonly (readonly [first: string, last: string])[] {
  if (counted !== null) return counted.stretches;
  const stretch = messages?.stretch ?? null;
  return stretch === null ? [] : [stretch];
}

function volumeOf(answer: ReadAnswer): string {
  return (answer.counted?.points ?? []).reduce((sum, point) => sum + point.volume, 0n).toString();
}

function costOf(answer: ReadAnswer): string | null {
  const costs = (answer.counted?.points ?? []).flatMap(({ cost }) => (cost === null ? [] : [cost]));
  return costs.length === 0 ? null : amountText(costs.reduce((sum, cost) => sum + cost, 0n));
}

const POINT_COLUMNS = [
  'import_id',
  'day',
  'phone_number',
  'country',
  'pricing_type',
  'category',
  'tier',
  'volume',
  'cost',
] as const;
const COUNT_COLUMNS = ['import_id', 'day', 'phone_numbers', 'direction', 'sent', 'delivered'] as const;

function rowOf(import_id: string, point: CountedPoint): unknown[] {
  const { day, phone_number, country, pricing_type, category, tier, volume, cost } = point;
  const written = cost === null ? null : amountText(cost);
  return [import_id, day, phone_number, country, pricing_type, category, tier, volume.toString(), written];
}

function newImport(answer: ReadAnswer, { days }: MetaImportOptions): NewImport {
  const { import_id, waba_id, field, name, checksums, time_zone, counted, lines, messages } = answer;
  const stretches = stretchesOf(answer);
  return {
    entry: {
      import_id,
      waba_id,
      field,
      name,
      checksums,
      days,
      time_zone,
      dimensions: counted?.dimensions ?? [],
      is_monthly: counted?.is_monthly === true ? 1 : 0,
      first_days: stretches.map(([first]) => first),
      last_days: stretches.map(([, last]) => last),
      points: counted?.points.length ?? lines.length,
      volume: volumeOf(answer),
      cost: costOf(answer),
    },
    rows: [
      {
        table: 'meta_points',
        columns: POINT_COLUMNS,
        rows: (counted?.points ?? []).map((point) => rowOf(import_id, point)),
      },
      {
        table: 'meta_lines',
        columns: ['import_id', 'number', 'starts_at', 'ends_at', 'line'],
        rows: lines.map(({ starts_at, ends_at, line }, n) => [import_id, n + 1, starts_at, ends_at, line]),
      },
      {
        table: 'meta_message_counts',
        columns: COUNT_COLUMNS,
        rows: (messages?.counts ?? []).map(({ day, phone_numbers, direction, sent, delivered }) => [
          ...[import_id, day, phone_numbers, direction],
          ...[sent, delivered].map(String),
        ]),
      },
    ],
  };
}

function doneOf(answer: ReadAnswer, isNew: boolean): DoneMetaImport {
  const { import_id, waba_id, field, counted, lines, note } = answer;
  const stretches = stretchesOf(answer);
  return {
    import_id,
    waba_id,
    field,
    outcome: isNew ? 'imported' : 'unchanged',
    dimensions: counted?.dimensions ?? [],
    first_day: stretches.at(0)?.[0] ?? null,
    last_day: stretches.at(-1)?.[1] ?? null,
    points: counted?.points.length ?? lines.length,
    volume: volumeOf(answer),
    cost: costOf(answer),
    note,
  };
}

interface GivenAnswers {
  readonly files: readonly GivenAnswer[];
  readonly options: MetaImportOptions;
}

interface ReadAnswers extends GivenAnswers {
  readonly answers: readonly ReadAnswer[];
}

async function readGiven({ files, options }: GivenAnswers, database: Database): Promise<ReadAnswers> {
  // The same file given twice counts once.
  const unlike = [...new Map(files.map((file) => [sha256(file.bytes), file])).values()];
  const accounts = (await readConfiguration(database))?.accounts ?? [];
  const zones = new Map(accounts.map((account) => [account.waba_id, account.time_zone ?? 'UTC']));
  const answers = inPages(unlike, options).map((pages) => readGroup(pages, zones, options));
  refuseOverlaps(answers);
  return { files: unlike, options, answers };
}

async function plan({ answers, options }: ReadAnswers, database: Database): Promise<DoneMetaImport[]> {
  const standing = await database.query(
    z.object({ import_id: z.string() }),
    `SELECT import_id
     FROM
     (
       SELECT import_id, row_number() OVER (PARTITION BY waba_id, field, first_days, last_days, if(field = 'analytics', name, '')
         ORDER BY meta_imports.imported_at DESC) AS place
       FROM meta_imports FINAL WHERE withdrawn_at IS NULL
     )
     WHERE ${options.is_fetched === true ? 'place = 1' : 'true'}`,
  );
  const known = new Set(standing.map(({ import_id }) => import_id));
  return answers.map((answer) => doneOf(answer, !known.has(answer.import_id)));
}

const META_ANSWERS: ImportKind<GivenAnswers, ReadAnswers, DoneMetaImport[], MetaImport> = {
  table: 'meta_imports',
  id: 'import_id',
  noun: 'import',
  listedBy: 'ctwa-ledger meta list',
  touches: ['meta_points', 'meta_lines', 'meta_message_counts'],
  list: listMetaImports,
  read: readGiven,
  plan,
  changes({ answers, files, options }, done) {
    const added = answers.filter((_, index) => done[index]?.outcome === 'imported');
    const checksums = new Set(added.flatMap((answer) => answer.checksums));
    return {
      files: files.filter(({ bytes }) => checksums.has(sha256(bytes))),
      imports: added.map((answer) => newImport(answer, options)),
    };
  },
};

/**
 * Imports answers of Meta, all of them or none (contract.md 7). The same files again change nothing; withdrawn ones are
 * in force again.
 * @throws BrokenFileError that names every place that cannot be used
 */
export function importMetaAnswers(
  database: Database,
  files: readonly GivenAnswer[],
  options: MetaImportOptions,
): Promise<DoneMetaImport[]> {
  return importGiven(database, META_ANSWERS, { files, options }, options.by);
}

/**
 * Withdraws an import: it stays listed, and what it replaced is in force again.
 * @returns the import after the change
 * @throws ActionableError when there is none with that id
 */
export async function withdrawMetaImport(database: Database, import_id: string, by: string): Promise<MetaImport> {
  return (await withdrawImport(database, META_ANSWERS, import_id, by)).now;
}

import { createHash } from 'node:crypto';
import type { CaseKey, ChosenRows } from '@ctwa-ledger/schemas/cases.ts';
import { differenceRow, rowKeyOf, type ReconciliationRow } from '@ctwa-ledger/schemas/meta.ts';
import { z } from 'zod';
import { reportOf } from '../catalogue/catalogue.ts';
import type { Database } from '../clickhouse/database.ts';
import { ActionableError } from '../clickhouse/errors.ts';
import { archiveOf, type ArchivedFile } from '../exports/archive.ts';
import { csvText } from '../exports/csv.ts';
import { readConfiguration } from '../ledger/configuration/configuration.ts';
import { codeOf } from '../reconciliation/case-evaluation.ts';
import {
  differingRows,
  reconcileMonth,
  reportedRow,
  type ExplainedRow,
  type ReconciledMonth,
} from '../reconciliation/reconcile.ts';
import { columnsOf } from '../reports/report.ts';
import { disputeLetter, disputePage, sumsOf } from './dispute-letter.ts';
import { accountMonth, type AccountMonth } from './month.ts';

/** Messages that are listed at most: a longer list is not read by anybody. */
const MAX_MESSAGES = 100_000;

type DifferenceRow = z.infer<typeof differenceRow>;

const BILLING_OF: ReadonlyMap<string, string> = new Map([
  ['REGULAR', 'BILLABLE'],
  ['FREE_ENTRY_POINT', 'FREE_ENTRY'],
]);

/** The columns of a message that decide to which row it belongs. */
export interface ListedMessage {
  readonly phone_number_id: string;
  readonly category: string;
  readonly rated_category: string;
  readonly billing: string;
}

/**
 * Whether a message of the day of a row may belong to the row. Report `messages` has no country, so messages of other
 * countries are listed too. For a row that only Meta has, all messages of the number and day are listed, because the
 * missing ones may be among them.
 */
export function mayBeOf(
  row: Pick<ReconciliationRow, 'phone_number' | 'category' | 'pricing_type' | 'status'>,
  message: ListedMessage,
  idOf: ReadonlyMap<string, string>,
): boolean {
  const id = idOf.get(row.phone_number) ?? row.phone_number;
  if (id !== '' && id !== message.phone_number_id) return false;
  if (row.status === 'only_meta') return true;
  const billing = BILLING_OF.get(row.pricing_type);
  if (billing !== undefined && billing !== message.billing) return false;
  const isAny = row.category === '' || row.category === 'ANY';
  return isAny || [message.category, message.rated_category].some((one) => one.toUpperCase() === row.category);
}

/** The content of a pack, before it is compressed. */
interface Evidence {
  readonly rows: readonly DifferenceRow[];
  readonly messages: readonly (readonly unknown[])[];
  readonly isCut: boolean;
}

/** Our messages on the days of the rows, day by day; of whole months where Meta's points are for whole months. */
async function messagesOf(
  database: Database,
  month: AccountMonth,
  rows: readonly DifferenceRow[],
): Promise<Pick<Evidence, 'messages' | 'isCut'>> {
  const accounts = (await readConfiguration(database))?.accounts ?? [];
  const idOf = new Map(accounts.flatMap(({ phone_numbers = [] }) => phone_numbers.map((one) => [one.display, one.id])));
  const report = reportOf('messages');
  const at = (name: keyof ListedMessage): number => report.columns.indexOf(name);
  const [number, category, rated, billing] = [
    at('phone_number_id'),
    at('category'),
    at('rated_category'),
    at('billing'),
  ];
  const messages: (readonly unknown[])[] = [];
  for (const day of [...new Set(rows.map((row) => row.day))].sort()) {
    const ofDay = rows.filter((row) => row.day === day);
    const next = new Date(Date.parse(day === '' ? month.first_day : day) + 86_400_000).toISOString().slice(0, 10);
    const range = day === '' ? { from: month.first_day, to: month.end_day } : { from: day, to: next };
    const filters = { ...range, tz: month.time_zone, as_of: 0, waba_id: month.waba_id };
    for await (const batch of report.rows(database, { filters, by: 'charged', page: null }))
      for (const cells of batch) {
        const text = (i: number): string => String(cells[i] ?? '');
        const message = {
          phone_number_id: text(number),
          category: text(category),
          rated_category: text(rated),
          billing: text(billing),
        };
        if (!ofDay.some((row) => mayBeOf(row, message, idOf))) continue;
        if (messages.length === MAX_MESSAGES) return { messages, isCut: true };
        messages.push(cells);
      }
  }
  return { messages, isCut: false };
}

/** Messages whose rules are asked for in one query. */
const RULES_AT_ONCE = 10_000;

/** The rule that decided the prediction of each message, by number and message; as it is now, also in a closed month. */
async function rulesOf(
  database: Database,
  messages: readonly (readonly [phone_number_id: string, message_id: string])[],
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (let from = 0; from < messages.length; from += RULES_AT_ONCE) {
    const asked = messages.slice(from, from + RULES_AT_ONCE);
    const rows = await database.query(
      z.object({ key: z.string(), of_message: z.string() }),
      `SELECT concat(phone_number_id, ' ', message_id) AS key, toString(max(rule)) AS of_message FROM message_marks FINAL
       WHERE phone_number_id IN {numbers:Array(String)} AND message_id IN {messages:Array(String)}
       GROUP BY phone_number_id, message_id`,
      { numbers: [...new Set(asked.map(([number]) => number))], messages: asked.map(([, message]) => message) },
    );
    for (const { key, of_message } of rows) found.set(key, of_message);
  }
  return found;
}

/** `messages.csv`: the report `messages`, and the rule of each message. */
async function messagesCsv(database: Database, messages: Evidence['messages']): Promise<string> {
  const { columns } = reportOf('messages');
  const [number, id] = [columns.indexOf('phone_number_id'), columns.indexOf('message_id')];
  const keys = messages.map((cells) => [String(cells[number]), String(cells[id])] as const);
  const rules = await rulesOf(database, keys);
  const rows = messages.map((cells, i) => [...cells, rules.get((keys[i] ?? []).join(' ')) ?? '']);
  return csvText([[...columns, 'rule'], ...rows]);
}

const utf8 = (text: string): Buffer => Buffer.from(text);

/** Rows of a case as they are now. @throws ActionableError when there are none */
function rowsOfCase(held: ReconciledMonth, { waba_id, month, explanation }: CaseKey): DifferenceRow[] {
  const rows = differingRows(held).filter((row) => codeOf(row) === explanation);
  if (rows.length === 0)
    throw new ActionableError(
      `No row of ${month} of account ${waba_id} is ${explanation} now: there is no evidence of it. See the cases with "ctwa-ledger reconcile cases --month ${month}".`,
    );
  return rows.map((row) => differenceOf(held, row));
}

/** Chosen rows as they are now. @throws ActionableError when one of them does not differ any more */
function chosenRows(held: ReconciledMonth, { waba_id, month, rows: keys }: ChosenRows): DifferenceRow[] {
  const chosen = new Set(keys);
  const rows = differingRows(held).filter(({ row }) => chosen.has(rowKeyOf(row)));
  const lost = chosen.size - rows.length;
  if (lost > 0)
    throw new ActionableError(
      `${lost} of the ${chosen.size} chosen rows of ${month} of account ${waba_id} do not differ any more. Look at the rows again, and choose anew.`,
    );
  return rows.map((row) => differenceOf(held, row));
}

function differenceOf(held: ReconciledMonth, row: ExplainedRow): DifferenceRow {
  return { ...reportedRow(held, row), evidence: row.explanations.map(({ detail }) => detail).join(' ') };
}

/**
 * The evidence of a case or of chosen rows as they are now, for a dispute: the rows and our messages of their days as CSV, a
 * page to print, the text of a letter, and a manifest with sizes and checksums, as a ZIP archive. Settle the charges first.
 * @param now Unix milliseconds
 * @throws ActionableError when no row of the month has the explanation, or a chosen row does not differ
 */
export async function evidencePack(
  database: Database,
  evidence: CaseKey | ChosenRows,
  now: number,
): Promise<{ readonly name: string; readonly content: AsyncGenerator<Uint8Array> }> {
  const { waba_id, month } = evidence;
  const of = await accountMonth(database, waba_id, month);
  const held = await reconcileMonth(database, { waba_id, month });
  const rows = 'rows' in evidence ? chosenRows(held, evidence) : rowsOfCase(held, evidence);
  // Null: the rows were chosen one by one.
  const explanation = 'rows' in evidence ? null : evidence.explanation;
  const { messages, isCut } = await messagesOf(database, of, rows);
  const dispute = { waba_id, month, explanation, rows, messages: messages.length };
  const columns = columnsOf(differenceRow) as (keyof DifferenceRow)[];
  const files = [
    { name: 'differences.csv', bytes: utf8(csvText([columns, ...rows.map((row) => columns.map((one) => row[one]))])) },
    { name: 'messages.csv', bytes: utf8(await messagesCsv(database, messages)) },
    { name: 'evidence.html', bytes: utf8(disputePage(dispute)) },
    { name: 'letter.txt', bytes: utf8(disputeLetter(dispute)) },
  ];
  const { our_volume, meta_volume, ...amounts } = sumsOf(rows);
  const manifest = {
    ...{ waba_id, month, explanation, made_at: `${new Date(now).toISOString().slice(0, 19)}+00:00` },
    ...{ rows: rows.length, our_volume: our_volume.toString(), meta_volume: meta_volume.toString(), ...amounts },
    ...{ messages: messages.length, messages_are_cut: isCut },
    files: files.map(({ name, bytes }) => ({
      name,
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    })),
  };
  const folder = `evidence-${month}-${waba_id.replaceAll(/[^\w-]/g, '_')}-${explanation ?? 'chosen'}`;
  const packed: ArchivedFile[] = [
    ...files,
    { name: 'manifest.json', bytes: utf8(`${JSON.stringify(manifest, null, 2)}\n`) },
  ].map(({ name, bytes }) => ({ path: `${folder}/${name}`, parts: [bytes] }));
  return { name: `${folder}.zip`, content: archiveOf(packed) };
}

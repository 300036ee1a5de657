import {
  outcomeImportSchema,
  type Outcome,
  type OutcomeCells,
  type OutcomeImport,
  type PlannedOutcomes,
} from '@ctwa-ledger/schemas/outcomes.ts';
import { AUTOMATIC_EVENT_TYPE } from '@ctwa-ledger/schemas/event.ts';
import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import { BrokenFileError } from '../imports/broken-file.ts';
import {
  importGiven,
  previewGiven,
  registeredColumns,
  sha256,
  withdrawImport,
  type GivenFile,
  type ImportKind,
} from '../imports/register.ts';
import { Problems } from '../imports/rows.ts';
import { ErasedNames } from '../ledger/events/erased-names.ts';
import { readOutcomeFile, readOutcomes } from './outcome-file.ts';

const OWN_IN_FORCE = `SELECT * FROM (SELECT * FROM outcomes FINAL) AS said
  INNER JOIN (SELECT import_id, imported_at FROM outcome_imports FINAL WHERE withdrawn_at IS NULL) AS standing USING import_id
  ORDER BY standing.imported_at DESC, import_id LIMIT 1 BY outcome_id`;

/** What Meta calls an outcome that it noticed by itself, in our words. */
const META_KIND = `transform(JSONExtractString(context, 'event_name'), ['Purchase', 'LeadSubmitted', 'Lead'], ['purchase', 'lead', 'lead'],
  lower(replaceRegexpAll(JSONExtractString(context, 'event_name'), '([a-z])([A-Z])', '\\\\1_\\\\2')))`;

/** Outcomes in force: own ones, each as the last import says; and Meta's automatic events. */
export const OUTCOMES_IN_FORCE = `
SELECT outcome_id, 'own' AS source, toString(kind) AS kind, happened_at, value, toString(currency) AS currency, conversation_id, ctwa_clid,
  phone_number_id, customer
FROM (${OWN_IN_FORCE})
UNION ALL
SELECT id AS outcome_id, 'meta' AS source, ${META_KIND} AS kind, timestamp AS happened_at,
  toDecimal64OrNull(JSONExtractRaw(context, 'custom_data', 'value'), 8) AS value,
  if(value IS NULL, '', JSONExtractString(context, 'custom_data', 'currency')) AS currency, '' AS conversation_id,
  referral_ctwa_clid AS ctwa_clid, toString(phone_number_id) AS phone_number_id, customer
FROM (SELECT * FROM events WHERE kind = 'message' AND type = '${AUTOMATIC_EVENT_TYPE}'
  ORDER BY timestamp, variant LIMIT 1 BY phone_number_id, id)`;

/** Tables that outcomes in force are read from. */
export const OUTCOME_TABLES = ['outcomes', 'outcome_imports', 'events'] as const;

/** All imports, the latest first. */
export function listOutcomeImports(database: Database): Promise<OutcomeImport[]> {
  return database.query(
    outcomeImportSchema,
    `SELECT import_id, name, checksum, toUInt32(brought.n) AS outcomes,
        multiIf(outcome_imports.withdrawn_at IS NOT NULL, 'withdrawn', brought.n > 0 AND in_force.n = 0, 'replaced', 'holds') AS state,
        ${registeredColumns('outcome_imports')}
     FROM outcome_imports FINAL
     LEFT JOIN (SELECT import_id, count() AS n FROM outcomes FINAL GROUP BY import_id) AS brought USING import_id
     LEFT JOIN (SELECT import_id, count() AS n FROM (${OWN_IN_FORCE}) GROUP BY import_id) AS in_force USING import_id
     ORDER BY outcome_imports.imported_at DESC, import_id`,
  );
}

interface ReadOutcomes {
  readonly given: GivenFile;
  readonly import_id: string;
  readonly outcomes: readonly Outcome[];
}

/** Outcomes that were sent, as a file of their own. */
function fileOf(sent: readonly OutcomeCells[]): GivenFile {
  return { name: 'sent', bytes: Buffer.from(JSON.stringify(sent)) };
}

async function read(given: GivenFile | readonly OutcomeCells[], database: Database): Promise<ReadOutcomes> {
  const problems = new Problems();
  const file = 'bytes' in given ? given : fileOf(given);
  const outcomes = 'bytes' in given ? await readOutcomeFile(given.bytes, problems) : readOutcomes(given, problems);
  if (problems.isEmpty && outcomes.length === 0) problems.add(null, null, 'The file has no outcome.');
  if (!problems.isEmpty) throw new BrokenFileError(file.name, problems.result());
  // Of the bytes as they came: the same file is the same import, whoever was erased meanwhile.
  const import_id = sha256(file.bytes).slice(0, 12);
  const erased = await ErasedNames.read(database);
  if (erased === null) return { given: file, import_id, outcomes };
  const text = (cell: string, number: string): string => erased.text(cell, number === '' ? null : number);
  return {
    given: { ...file, bytes: erased.bytes(Buffer.from(file.bytes), null) },
    import_id,
    outcomes: outcomes.map((one) => ({
      ...one,
      outcome_id: text(one.outcome_id, one.phone_number_id),
      conversation_id: text(one.conversation_id, one.phone_number_id),
      customer: text(one.customer, one.phone_number_id),
    })),
  };
}

async function plan({ import_id, outcomes }: ReadOutcomes, database: Database): Promise<PlannedOutcomes> {
  const held = (await listOutcomeImports(database)).find((one) => one.import_id === import_id);
  const known = await database.query(
    z.object({ outcome_id: z.string() }),
    `SELECT outcome_id FROM (${OWN_IN_FORCE}) WHERE import_id != {import_id:String}`,
    { import_id },
  );
  const others = new Set(known.map(({ outcome_id }) => outcome_id));
  const replaced = outcomes.filter(({ outcome_id }) => others.has(outcome_id)).length;
  const isInForce = held !== undefined && held.state === 'holds' && replaced === 0;
  return { import_id, outcome: isInForce ? 'unchanged' : 'imported', outcomes: outcomes.length, replaced };
}

const COLUMNS = [
  ...['import_id', 'outcome_id', 'kind', 'happened_at', 'value', 'currency'],
  ...['conversation_id', 'ctwa_clid', 'phone_number_id', 'customer'],
];

const OUTCOMES: ImportKind<GivenFile | readonly OutcomeCells[], ReadOutcomes, PlannedOutcomes, OutcomeImport> = {
  table: 'outcome_imports',
  id: 'import_id',
  noun: 'import of outcomes',
  listedBy: 'ctwa-ledger outcomes list',
  touches: ['outcomes'],
  list: listOutcomeImports,
  read,
  plan,
  changes({ given, import_id, outcomes }, { outcome }) {
    if (outcome === 'unchanged') return { files: [], imports: [] };
    const rows = outcomes.map((one) => [
      ...[import_id, one.outcome_id, one.kind, one.happened_at, one.value, one.currency],
      ...[one.conversation_id, one.ctwa_clid, one.phone_number_id, one.customer],
    ]);
    const entry = { import_id, name: given.name, checksum: sha256(given.bytes) };
    return { files: [given], imports: [{ entry, rows: [{ table: 'outcomes', columns: COLUMNS, rows }] }] };
  },
};

/** What importing outcomes would do. @throws BrokenFileError that names every place that cannot be read */
export async function previewOutcomes(database: Database, given: GivenFile): Promise<PlannedOutcomes> {
  return (await previewGiven(database, OUTCOMES, given)).planned;
}

/**
 * Imports a CSV file of outcomes, or outcomes that were sent: all of them or none. An outcome with the id of an earlier
 * one replaces it.
 * @throws BrokenFileError that names every place that cannot be read
 */
export function importOutcomes(
  database: Database,
  given: GivenFile | readonly OutcomeCells[],
  by: string,
): Promise<PlannedOutcomes> {
  return importGiven(database, OUTCOMES, given, by);
}

/** Withdraws an import; what it replaced is in force again. @throws ActionableError when there is none with that id */
export async function withdrawOutcomes(database: Database, import_id: string, by: string): Promise<OutcomeImport> {
  return (await withdrawImport(database, OUTCOMES, import_id, by)).now;
}

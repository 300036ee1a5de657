import {
  listedTemplateRow,
  templateFileSchema,
  templateImportSchema,
  type DoneTemplateImport,
  type ListedTemplate,
  type TemplateImport,
} from '@ctwa-ledger/schemas/templates.ts';
import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import { ActionableError } from '../clickhouse/errors.ts';
import { utcText } from '../clickhouse/sql.ts';
import {
  importGiven,
  importId,
  registeredColumns,
  sha256,
  withdrawImport,
  type GivenFile,
  type ImportKind,
} from '../imports/register.ts';
import { normaliseCategory } from '../lifecycle/verdict.ts';

/** A file with Meta's answer about the templates of an account. */
export interface GivenTemplates extends GivenFile {
  /** The account of the templates if the file does not name it; without it they are used for any account. */
  readonly waba_id?: string;
}

interface Template {
  readonly waba_id: string;
  readonly name: string;
  readonly language: string;
  readonly category: string;
  readonly status: string;
}

function parsed(file: GivenTemplates): readonly Template[] {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(file.bytes).toString('utf8'));
  } catch (error) {
    throw new ActionableError(
      `${file.name} is not JSON (${error instanceof Error ? error.message : String(error)}). Give it as Meta answers GET /<WABA>/message_templates.`,
    );
  }
  const read = templateFileSchema.safeParse(value);
  if (!read.success)
    throw new ActionableError(
      `${file.name} is not a list of templates as Meta answers GET /<WABA>/message_templates: an object with "data", each with name, language and category.`,
    );
  const named = new Set(read.data.map(({ waba_id }) => waba_id).filter((waba_id) => waba_id !== null));
  const other = [...named].find((waba_id) => file.waba_id !== undefined && waba_id !== file.waba_id);
  if (other !== undefined)
    throw new ActionableError(`${file.name} names the account ${other}, and --waba another one: leave out --waba.`);
  return read.data.flatMap(({ waba_id, templates }) =>
    templates.map(({ name, language, category, status }) => ({
      waba_id: waba_id ?? file.waba_id ?? '',
      name,
      language,
      category: normaliseCategory(category),
      status,
    })),
  );
}

/**
 * For each account, name and language, the template in the latest import that is not withdrawn. Rows without an import
 * are older than the table of imports.
 */
const TEMPLATES_IN_FORCE = `
SELECT waba_id, name, language, category, status,
    if(import_id = '', templates.imported_at, entered.imported_at) AS last_at,
    if(import_id = '', templates.imported_by, entered.imported_by) AS last_by, import_id
FROM (SELECT * FROM templates FINAL) AS templates
LEFT JOIN (SELECT import_id, imported_at, imported_by FROM template_imports FINAL) AS entered USING import_id
WHERE import_id = '' OR import_id IN (SELECT import_id FROM template_imports FINAL WHERE withdrawn_at IS NULL)
ORDER BY last_at DESC, import_id
LIMIT 1 BY waba_id, name, language`;

/** All imports of templates, the latest first. */
export function listTemplateImports(database: Database): Promise<TemplateImport[]> {
  return database.query(
    templateImportSchema,
    `SELECT import_id, name, checksum, toUInt32(brought.n) AS templates,
        multiIf(template_imports.withdrawn_at IS NOT NULL, 'withdrawn',
          import_id IN (SELECT import_id FROM (${TEMPLATES_IN_FORCE})), 'holds', 'replaced') AS state,
        ${registeredColumns('template_imports')}
     FROM template_imports FINAL
     LEFT JOIN (SELECT import_id, count() AS n FROM templates FINAL GROUP BY import_id) AS brought USING import_id
     ORDER BY template_imports.imported_at DESC, import_id`,
  );
}

const knownRow = listedTemplateRow.pick({ waba_id: true, name: true, language: true, category: true });

function keyOf({ waba_id, name, language }: Pick<Template, 'waba_id' | 'name' | 'language'>): string {
  return `${waba_id}\n${name}\n${language}`;
}

interface ReadTemplates {
  readonly given: GivenTemplates;
  readonly import_id: string;
  readonly templates: readonly Template[];
}

function readTemplates(given: GivenTemplates): ReadTemplates {
  // If a template is named twice, the last one counts.
  const templates = [...new Map(parsed(given).map((template) => [keyOf(template), template])).values()];
  return { given, import_id: importId(sha256(given.bytes), given.waba_id ?? ''), templates };
}

async function plan({ templates }: ReadTemplates, database: Database): Promise<DoneTemplateImport> {
  const known = await database.query(
    knownRow,
    `SELECT waba_id, name, language, toString(category) AS category FROM (${TEMPLATES_IN_FORCE})`,
  );
  const before = new Map(known.map((template) => [keyOf(template), template.category]));
  return {
    templates: templates.length,
    added: templates.filter((template) => !before.has(keyOf(template))).length,
    recategorised: templates.flatMap((template) => {
      const { name, language, category } = template;
      const from = before.get(keyOf(template));
      return from === undefined || from === category ? [] : [{ name, language, from, to: category }];
    }),
  };
}

const TEMPLATES: ImportKind<GivenTemplates, ReadTemplates, DoneTemplateImport, TemplateImport> = {
  table: 'template_imports',
  id: 'import_id',
  noun: 'import of templates',
  listedBy: 'ctwa-ledger templates imports',
  touches: ['templates'],
  list: listTemplateImports,
  read: (given) => Promise.resolve(given).then(readTemplates),
  plan,
  changes({ given, import_id, templates }) {
    if (templates.length === 0) return { files: [], imports: [] };
    const rows = templates.map(({ waba_id, name, language, category, status }) => [
      import_id,
      waba_id,
      name,
      language,
      category,
      status,
    ]);
    const brought = {
      table: 'templates',
      columns: ['import_id', 'waba_id', 'name', 'language', 'category', 'status'],
      rows,
    };
    return {
      files: [given],
      imports: [{ entry: { import_id, name: given.name, checksum: sha256(given.bytes) }, rows: [brought] }],
    };
  },
};

/**
 * Imports templates. For each account, name and language the last import counts; templates that a file leaves out stay.
 * @throws ActionableError when the file is not in Meta's form; nothing is applied then
 */
export function importTemplates(
  database: Database,
  file: GivenTemplates & { readonly by: string },
): Promise<DoneTemplateImport> {
  return importGiven(database, TEMPLATES, file, file.by);
}

/**
 * Withdraws an import of templates: it stays listed, and earlier imports are in force again.
 * @throws ActionableError when there is none with that id
 */
export async function withdrawTemplates(database: Database, import_id: string, by: string): Promise<TemplateImport> {
  return (await withdrawImport(database, TEMPLATES, import_id, by)).now;
}

/** All templates in force. */
export function listTemplates(database: Database): Promise<ListedTemplate[]> {
  return database.query(
    listedTemplateRow,
    `SELECT waba_id, name, language, toString(category) AS category, toString(status) AS status,
        ${utcText('last_at')} AS imported_at, last_by AS imported_by
     FROM (${TEMPLATES_IN_FORCE}) ORDER BY waba_id, name, language`,
  );
}

/** The category of a template of an account, from some source. */
export interface NamedCategory {
  /** Empty = of any account. */
  readonly waba_id: string;
  readonly name: string;
  /** Empty = of any language. */
  readonly language: string;
  readonly category: string;
}

/** By the name of the template. */
export type NamedCategories = ReadonlyMap<string, readonly NamedCategory[]>;

function byName(rows: readonly NamedCategory[]): NamedCategories {
  const named = new Map<string, NamedCategory[]>();
  for (const row of rows) named.set(row.name, [...(named.get(row.name) ?? []), row]);
  return named;
}

const namedRow = z.object({ waba_id: z.string(), name: z.string(), language: z.string(), category: z.string() });

/** The imported categories of all templates. */
export async function importedCategories(database: Database): Promise<NamedCategories> {
  return byName(
    await database.query(
      namedRow,
      `SELECT waba_id, name, language, toString(category) AS category FROM (${TEMPLATES_IN_FORCE})`,
    ),
  );
}

/**
 * The category that Meta reports for a template's messages, else the one with which they were sent; from the latest
 * message in each account.
 */
const PAST = `
SELECT toString(waba_id) AS waba_id, toString(template_name) AS name, '' AS language, argMax(said, (sent_at, message_id)) AS category
FROM
(
    SELECT waba_id, template_name, sent_at, message_id,
        if(reported_category NOT IN ('', 'unknown', 'service', 'referral_conversion'), toString(reported_category), toString(category)) AS said
    FROM message_marks
    WHERE template_name != '' AND is_retracted = 0
)
WHERE said NOT IN ('', 'unknown', 'service')
GROUP BY waba_id, template_name`;

/** The latest categories of the messages of all templates. */
export async function pastCategories(database: Database): Promise<NamedCategories> {
  return byName(await database.query(namedRow, PAST));
}

/**
 * The category of a template: from its account, else from templates without an account, else from any account; and from
 * its language, if there are some. Null when there is none, or they differ.
 */
export function categoryAmong(
  categories: NamedCategories,
  { waba_id, name, language }: Omit<NamedCategory, 'category'>,
): string | null {
  const rows = categories.get(name) ?? [];
  const own = rows.filter((row) => row.waba_id === waba_id);
  const anybodys = rows.filter((row) => row.waba_id === '');
  const meant = own.length > 0 ? own : anybodys.length > 0 ? anybodys : rows;
  const inLanguage = meant.filter((row) => row.language === language);
  const found = new Set((inLanguage.length > 0 ? inLanguage : meant).map(({ category }) => category));
  return found.size === 1 ? ([...found][0] ?? null) : null;
}

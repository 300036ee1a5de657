import { z } from 'zod';
import { isListed } from '@ctwa-ledger/schemas/asked.ts';
import { exportDays, exportDefinition } from '@ctwa-ledger/schemas/exports.ts';
import { reportOf } from '../catalogue/catalogue.ts';
import { describedReports, type DescribedReport } from '../catalogue/description.ts';
import { schemaOf, type ParameterName } from '../reports/parameters.ts';
import { VERSION } from '../version.ts';

/** A part of a JSON document. */
interface JsonObject {
  readonly [key: string]: JsonValue;
}
type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;

/** Parameters that every report takes. */
export const ANSWER_PARAMETERS = [
  'format',
  'sample',
  'columns',
  'sort',
  'limit',
  'after',
] as const satisfies readonly ParameterName[];

/** A zod schema as JSON Schema, as OpenAPI 3.1 uses it. */
function jsonSchema(schema: z.ZodType, io: 'input' | 'output' = 'output'): JsonObject {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'throw' });
  return rest as JsonObject;
}

const ref = (kind: string, name: string): JsonObject => ({ $ref: `#/components/${kind}/${name}` });

/** `ad-figures` → `AdFiguresRow`. */
function rowName(report: string): string {
  return `${report.replaceAll(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase())}Row`;
}

function rowSchema({ name, columns, one_row_per }: DescribedReport): JsonObject {
  const schema = jsonSchema(reportOf(name).row);
  const properties = schema['properties'] as Readonly<Record<string, JsonObject>>;
  return {
    ...schema,
    description: `One row per ${one_row_per}.`,
    properties: Object.fromEntries(
      columns.map((column) => [column.name, { ...properties[column.name], description: column.meaning }]),
    ),
  };
}

function parameterOf(name: ParameterName): JsonObject {
  const { description = '', ...schema } = jsonSchema(schemaOf(name));
  const isList = isListed(name);
  return {
    name,
    in: 'query',
    description: isList
      ? `${String(description)} Can be given several times: rows with any of the values.`
      : description,
    ...(name === 'sample' ? { allowEmptyValue: true } : {}),
    // The form of lists in queries is one parameter for each item.
    schema: isList ? { type: 'array', items: schema } : schema,
  };
}

const json = (schema: JsonObject): JsonObject => ({ 'application/json': { schema } });
const headerOf = (description: string): JsonObject => ({ description, schema: { type: 'string' } });

function answersOf({ name }: DescribedReport): JsonObject {
  const rows: JsonObject = { type: 'array', items: ref('schemas', rowName(name)) };
  return {
    '200': {
      description: 'The rows. Where limit is given also next: the place where the next page begins, or null.',
      headers: {
        ETag: headerOf('Tag of the rows. It stays the same until something is written that they depend on.'),
        Link: headerOf('Address of the next page, where there is one.'),
      },
      content: {
        ...json({ type: 'object', required: ['rows'], properties: { rows, next: { type: ['string', 'null'] } } }),
        'text/csv': { schema: { type: 'string' } },
      },
    },
    '304': { description: 'The rows are still those of the ETag in If-None-Match.' },
    '400': ref('responses', 'Refused'),
    '404': ref('responses', 'NoSample'),
    '503': ref('responses', 'Busy'),
  };
}

function pathOf(report: DescribedReport): JsonObject {
  return {
    get: {
      operationId: report.name,
      summary: `One row per ${report.one_row_per}.`,
      description: report.days,
      parameters: [...report.parameters.map(({ name }) => name), ...ANSWER_PARAMETERS].map((name) =>
        ref('parameters', name),
      ),
      responses: answersOf(report),
    },
  };
}

const ERROR: JsonObject = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message'],
      properties: { code: { type: 'string' }, message: { type: 'string', description: 'What is wrong, in words.' } },
    },
  },
};

const named = (name: string, description: string): JsonObject => ({
  name,
  in: 'path',
  required: true,
  description,
  schema: { type: 'string' },
});

const answered = (description: string): JsonObject => ({ description, content: json({ type: 'object' }) });

/** Paths of schedules, periods and other addresses that are not reports. */
const EXPORT_PATHS: JsonObject = {
  '/api/exports': {
    get: {
      operationId: 'exports',
      summary: 'What is exported on a schedule, when it is due next, and how it went last.',
      responses: { '200': answered('The schedules.') },
    },
    post: {
      operationId: 'add-export',
      summary: 'Adds a schedule.',
      requestBody: { required: true, content: json(jsonSchema(exportDefinition, 'input')) },
      responses: {
        '201': answered('The schedule.'),
        '400': ref('responses', 'Refused'),
        '403': answered('This process only reads.'),
        '409': answered('The name or the folder is taken.'),
        '413': answered('The body is too large.'),
        '415': answered('The body is not sent as application/json.'),
        '503': answered('The body was not complete in time.'),
      },
    },
  },
  '/api/exports/{name}': {
    get: {
      operationId: 'export-history',
      summary: 'A schedule with what became of each of its periods.',
      parameters: [named('name', 'What the schedule is called.')],
      responses: { '200': answered('The schedule and its runs.'), '404': answered('There is no such schedule.') },
    },
  },
  '/api/exports/{name}/{verb}': {
    post: {
      operationId: 'change-export',
      summary: 'Pauses, resumes, removes or runs a schedule, or fills in what it would have run.',
      parameters: [
        named('name', 'What the schedule is called.'),
        named('verb', 'pause, resume, remove, run or backfill.'),
      ],
      requestBody: {
        description: 'Of backfill the first day and the day after the last one; else empty.',
        content: json(jsonSchema(exportDays.partial(), 'input')),
      },
      responses: {
        '200': answered('What it is now, or what was run.'),
        '400': ref('responses', 'Refused'),
        '403': answered('This process only reads.'),
        '404': answered('There is no such schedule, or no such verb.'),
        '409': answered('This process writes no files, or the configuration file lists the schedule.'),
        '415': answered('The body is not sent as application/json.'),
      },
    },
  },
  '/api/periods/{account}/{month}': {
    get: {
      operationId: 'period',
      summary:
        'Whether a month of an account is closed, with the checksum of its closing and what is corrected of it later.',
      parameters: [
        named('account', 'Id of a WhatsApp business account; none = of no account.'),
        named('month', 'YYYY-MM.'),
      ],
      responses: { '200': answered('Status, closing and corrections.'), '400': ref('responses', 'Refused') },
    },
  },
};

/** The API as an OpenAPI 3.1 document, made from the catalogue of reports. */
export function openApi(): JsonObject {
  const reports = describedReports();
  const names = new Set<ParameterName>([
    ...reports.flatMap(({ parameters }) => parameters.map(({ name }) => name)),
    ...ANSWER_PARAMETERS,
  ]);
  const refused = (description: string): JsonObject => ({ description, content: json(ref('schemas', 'Error')) });
  return {
    openapi: '3.1.0',
    info: {
      title: 'ctwa-ledger',
      version: VERSION,
      summary: 'Reports of Click-to-WhatsApp conversations and of what Meta should have billed for them.',
      description:
        'Whole numbers are numbers. Amounts, rates and numbers of 64 bits are text, so that nothing is rounded. Times are ISO 8601 with offset. What is not known is null; an empty text is one.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths: {
      ...Object.fromEntries(reports.map((report) => [`/api/${report.name}`, pathOf(report)])),
      ...EXPORT_PATHS,
      '/api': {
        get: {
          operationId: 'api',
          summary: 'Every report with its parameters and columns.',
          responses: { '200': { description: 'The description.', content: json({ type: 'object' }) } },
        },
      },
    },
    components: {
      schemas: {
        ...Object.fromEntries(reports.map((report) => [rowName(report.name), rowSchema(report)])),
        Error: ERROR,
      },
      parameters: Object.fromEntries([...names].map((name) => [name, parameterOf(name)])),
      responses: {
        Refused: refused(
          'A parameter or a value that the report does not take; the message names the nearest known one.',
        ),
        NoSample: refused('There is no sample data any more.'),
        Busy: {
          ...refused('Too many downloads are under way.'),
          headers: { 'Retry-After': headerOf('Seconds to wait.') },
        },
      },
    },
  };
}

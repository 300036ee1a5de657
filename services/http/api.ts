import { takesGzip } from '@ctwa-ledger/schemas/accepted-coding.ts';
import { asksForSample, valueIn, type AddressParameter } from '@ctwa-ledger/schemas/address-parameters.ts';
import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Closing } from '@ctwa-ledger/schemas/periods.ts';
import { COMMON_PARAMETERS, MAX_LIMIT } from '@ctwa-ledger/schemas/report-parameters.ts';
import { isListed, NARROWINGS } from '@ctwa-ledger/schemas/asked.ts';
import { fileNameOf } from '../exports/file-name.ts';
import { closingsIn, csvReport, objectReport, readPage, settleReports } from '../exports/report.ts';
import { csvTable, objectTable, TooManyRowsError, workbookTable, type AskedTable } from '../exports/table.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { findReport, REPORTS, type ReportName } from '../catalogue/catalogue.ts';
import { didYouMean } from '../reports/nearest.ts';
import { UnknownPositionError, type ReportPage } from '../reports/paging.ts';
import { parametersOf, readQuestion, tooManyValues, valuesOf, type GivenTexts } from '../reports/parameters.ts';
import { stateOf } from '../clickhouse/table-state.ts';
import { tablesOf, type AskedRows, type Report } from '../reports/report.ts';
import { VERSION } from '../version.ts';
import { API_ADDRESSES, describedApi } from './api-description.ts';
import { DOWNLOAD_LIMITS, type Downloads, type Head } from './downloads.ts';
import { gzipped } from './gzip.ts';
import { ANSWER_PARAMETERS } from './openapi.ts';

/** The connections of a request: `downloads` may use a user that can only read, `database` settles the sums. */
export type ReadLedger = Pick<Ledger, 'database' | 'downloads'>;

function fail(response: ServerResponse, status: number, code: string, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(`${JSON.stringify({ error: { code, message } })}\n`);
}

const FORMATS = ['json', 'csv', 'xlsx'] as const;
const WORKBOOK = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';

const KNOWN = [...Object.keys(COMMON_PARAMETERS), ...NARROWINGS];

/** Why a report does not take a parameter. Ignoring the parameter would return more rows than were asked for. */
function refusalOf(report: Report, name: string): string {
  if (name === 'by') return `Report "${report.name}" does not take the parameter by; it is for messages.`;
  if (NARROWINGS.some((narrowing) => narrowing === name)) {
    const { filters } = report;
    const usable = filters.length === 0 ? 'takes no filters' : `can be narrowed by ${filters.join(', ')}`;
    return `Report "${report.name}" cannot be narrowed by ${name}; it ${usable}.`;
  }
  const taken = [...parametersOf(report), ...ANSWER_PARAMETERS];
  const takes = `Report "${report.name}" takes ${taken.join(', ')}.`;
  if (KNOWN.includes(name)) return `Report "${report.name}" does not take the parameter ${name}. ${takes}`;
  return `There is no parameter "${name}".${didYouMean(name, taken)} ${takes}`;
}

/** A request for a report, parsed. */
interface Question extends AskedRows {
  readonly report: Report<ReportName>;
  readonly format: 'json' | 'csv' | 'xlsx';
  /** Columns and order; null = those of the report. */
  readonly table: Pick<AskedTable, 'columns' | 'sort'> | null;
  readonly sample: boolean;
}

/** The requested page; null = all rows; a text = what is wrong with the request. */
function pageOf(query: URLSearchParams): ReportPage | null | string {
  const [limit, after] = [valueIn(query, 'limit'), valueIn(query, 'after')];
  if (limit === null) return after === null ? null : 'after goes with limit: say how many rows the page has.';
  const rows = /^\d{1,6}$/.test(limit) ? Number(limit) : 0;
  if (rows < 1 || rows > MAX_LIMIT) return `limit "${limit}" is not a whole number from 1 to ${MAX_LIMIT}.`;
  return { limit: rows, after: after === null ? null : Buffer.from(after, 'base64url').toString() };
}

/** What is wrong with a parameter that takes only certain values; null when nothing is. */
export function unknownValueOf(name: 'format' | 'sample', query: URLSearchParams): string | null {
  const value = valueIn(query, name);
  const known = valuesOf(name);
  if (value === null || known.includes(value)) return null;
  return `${name} "${value}" must be one of ${known.filter((one) => one !== '').join(', ')}.${didYouMean(value, known)}`;
}

/** The columns and the order of a request; null = those of the report; a text = what is wrong with the request. */
function tableOf(report: Report, query: URLSearchParams): Question['table'] | string {
  const [columns, sort] = [valueIn(query, 'columns'), valueIn(query, 'sort')];
  if (columns === null && sort === null) return null;
  const asked = columns?.split(',').map((name) => name.trim()) ?? null;
  const sorted = sort === null ? null : { column: sort.replace(/^-/, '').trim(), descending: sort.startsWith('-') };
  const unknown = [...(asked ?? []), ...(sorted === null ? [] : [sorted.column])].find(
    (name) => !report.columns.includes(name),
  );
  if (unknown !== undefined)
    return `Report "${report.name}" has no column "${unknown}".${didYouMean(unknown, report.columns)} It has ${report.columns.join(', ')}.`;
  return { columns: asked, sort: sorted };
}

/** Parses a request strictly; a text = what is wrong with it. */
function readQuery(report: Report<ReportName>, query: URLSearchParams): Question | string {
  const taken: readonly string[] = [...parametersOf(report), ...ANSWER_PARAMETERS];
  for (const name of new Set(query.keys())) {
    if (!taken.includes(name)) return refusalOf(report, name);
    const refusal = tooManyValues(name, query.getAll(name).length);
    if (refusal !== null) return refusal;
  }
  const unknown = unknownValueOf('format', query) ?? unknownValueOf('sample', query);
  if (unknown !== null) return unknown;
  const page = pageOf(query);
  if (typeof page === 'string') return page;
  const table = tableOf(report, query);
  if (typeof table === 'string') return table;
  const format = FORMATS.find((known) => known === valueIn(query, 'format')) ?? 'json';
  if (page !== null && (table !== null || format === 'xlsx'))
    return 'limit goes neither with columns and sort nor with format=xlsx: these are of all rows.';
  if (report.days === 'month' && valueIn(query, 'month') === null && valueIn(query, 'period') === null)
    return `Report "${report.name}" covers one month. Say which one, like month=2026-10.`;
  const asked = Object.fromEntries(
    [...query.keys()].map((name) => [name, isListed(name) ? query.getAll(name) : query.get(name)]),
  ) as GivenTexts;
  const question = readQuestion(report, asked, Math.floor(Date.now() / 1000));
  if (!question.ok) return question.message;
  const { filters, by } = question;
  return {
    report,
    filters,
    by,
    page,
    format,
    table,
    sample: asksForSample(query) === true,
  };
}

/** @param closings of the months that the rows cover: printed after the rows if there are any */
async function* jsonParts(
  batches: ReturnType<typeof objectReport>,
  closings: () => Promise<readonly Closing[]>,
): AsyncGenerator<string> {
  const closed = await closings();
  const end = closed.length === 0 ? '}\n' : `,"closings":${JSON.stringify(closed)}}\n`;
  let isFirst = true;
  for await (const rows of batches) {
    if (rows.length === 0) continue;
    const text = rows.map((row) => JSON.stringify(row)).join(',');
    yield isFirst ? `{"rows":[${text}` : `,${text}`;
    isFirst = false;
  }
  yield (isFirst ? '{"rows":[]' : ']') + end;
}

/** Part of the tag, because another version of the program may print the same rows differently. */
const THIS_PROCESS = randomUUID();

/** The ETag of the requested rows. It stays the same until something is written that they depend on. */
async function tagOf(
  { report, filters, by, page, format, table }: Question,
  { downloads }: ReadLedger,
): Promise<string> {
  const state = await stateOf(downloads, tablesOf(report, filters));
  const { as_of, ...days } = filters;
  const asked = { ...days, by, page, format, table, as_of: report.has_clock === true ? as_of : null };
  const said = [VERSION, THIS_PROCESS, downloads.name, report.name, asked, state];
  // Weak, because the same rows may come compressed or not.
  return `W/"${createHash('sha256').update(JSON.stringify(said)).digest('base64url')}"`;
}

function isKnown(tag: string, given: string | undefined): boolean {
  return (given ?? '').split(',').some((one) => one.trim() === tag || one.trim() === '*');
}

/**
 * The answer to a request for a report. It is made when a download may start; its head is known with the first part.
 */
class Answer {
  readonly #question: Question;
  readonly #ledger: ReadLedger;
  readonly #request: IncomingMessage;
  readonly #url: URL;
  readonly #isPacked: boolean;
  #status = 200;
  readonly #headers: OutgoingHttpHeaders;

  constructor(question: Question, ledger: ReadLedger, request: IncomingMessage, url: URL) {
    this.#question = question;
    this.#ledger = ledger;
    this.#request = request;
    this.#url = url;
    // A workbook is compressed by itself.
    this.#isPacked = question.format !== 'xlsx' && takesGzip(request.headers['accept-encoding']);
    this.#headers = { 'cache-control': 'private, no-cache', vary: 'accept-encoding' };
  }

  readonly head = (): Head => ({ status: this.#status, headers: this.#headers });

  /** Yields the parts of the answer, after settling the sums. Reads nothing if the client has the rows already. */
  async *parts(): AsyncGenerator<string | Buffer> {
    const { report, filters, format } = this.#question;
    await settleReports([report.name], this.#ledger.database);
    const tag = await tagOf(this.#question, this.#ledger);
    this.#headers['etag'] = tag;
    if (isKnown(tag, this.#request.headers['if-none-match'])) {
      this.#status = 304;
      return;
    }
    if (format === 'json') this.#headers['content-type'] = 'application/json; charset=utf-8';
    else {
      const name = await fileNameOf(report, filters, this.#ledger.downloads, format);
      this.#headers['content-type'] = format === 'csv' ? 'text/csv; charset=utf-8; header=present' : WORKBOOK;
      this.#headers['content-disposition'] = `attachment; filename="${name}"`;
    }
    if (this.#isPacked) this.#headers['content-encoding'] = 'gzip';
    yield* this.#isPacked ? gzipped(this.#rows()) : this.#rows();
  }

  async *#rows(): AsyncGenerator<string | Buffer> {
    const { report, filters, by, page, format, table } = this.#question;
    const { downloads } = this.#ledger;
    if (page !== null) {
      yield await this.#page(page);
      return;
    }
    const asked = { report: report.name, filters, by, ...(table ?? { columns: null, sort: null }) };
    if (format === 'xlsx') {
      for await (const part of workbookTable(downloads, asked)) yield Buffer.from(part);
      return;
    }
    const closings = (): Promise<readonly Closing[]> => closingsIn(report.name, downloads, filters);
    if (table !== null) {
      yield* format === 'csv' ? csvTable(downloads, asked) : jsonParts(objectTable(downloads, asked), closings);
      return;
    }
    yield* format === 'csv'
      ? csvReport(report.name, downloads, filters, by)
      : jsonParts(objectReport(report.name, downloads, filters, by), closings);
  }

  async #page(page: ReportPage): Promise<string> {
    const { report, filters, by, format } = this.#question;
    const { csv, rows, next: place } = await readPage(report.name, this.#ledger.downloads, { filters, by, page });
    const next = place === null ? null : Buffer.from(place).toString('base64url');
    if (next !== null) {
      const query = new URLSearchParams(this.#url.searchParams);
      query.set('after' satisfies AddressParameter, next);
      this.#headers['link'] = `<${this.#url.pathname}?${query.toString()}>; rel="next"`;
    }
    if (format === 'csv') return csv;
    const closings = await closingsIn(report.name, this.#ledger.downloads, filters);
    return `${JSON.stringify({ rows, next, ...(closings.length === 0 ? {} : { closings }) })}\n`;
  }
}

/**
 * `GET /api/<report>` (contract.md 4): JSON, or CSV with `format=csv`, from the query that the page uses. Sums are
 * settled first. It counts as a download, whatever its size: 503 when too many are running. `GET /api` lists the
 * reports.
 */
export async function answerApi(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  ledgerFor: (sample: boolean) => Promise<ReadLedger | null>,
  downloads: Downloads,
): Promise<void> {
  const name = url.pathname.slice('/api/'.length);
  const described = describedApi(url.pathname);
  const report = findReport(name);
  if (described === null && report === undefined) {
    const known = [
      ...REPORTS,
      ...API_ADDRESSES.map((address) => address.slice('/api/'.length)).filter((one) => one !== ''),
    ];
    fail(
      response,
      404,
      'NOT_FOUND',
      `There is no report "${name}". The reports are ${REPORTS.join(', ')}.${didYouMean(name, known)}`,
    );
    return;
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    fail(response, 405, 'METHOD_NOT_ALLOWED', 'Reports are read with GET.');
    return;
  }
  if (report === undefined) {
    if (described !== null) response.writeHead(200, described.headers).end(described.text);
    return;
  }
  const question = readQuery(report, url.searchParams);
  if (typeof question === 'string') {
    fail(response, 400, 'BAD_REQUEST', question);
    return;
  }
  const ledger = await ledgerFor(question.sample);
  if (ledger === null) {
    fail(response, 404, 'NO_SAMPLE', 'There is no sample data any more; leave out "sample" to read the ledger.');
    return;
  }
  const answer = new Answer(question, ledger, request, url);
  try {
    if ((await downloads.send(response, answer.head, answer.parts())) !== 'busy') return;
  } catch (error) {
    if (error instanceof TooManyRowsError) fail(response, 400, 'BAD_REQUEST', error.message);
    else if (error instanceof UnknownPositionError)
      fail(
        response,
        400,
        'BAD_REQUEST',
        'after is no position of this report; take it from next of the previous page.',
      );
    else throw error;
    return;
  }
  response.setHeader('retry-after', String(DOWNLOAD_LIMITS.stalled_ms / 1000));
  fail(response, 503, 'BUSY', 'Too many downloads are under way. Try again in half a minute.');
}

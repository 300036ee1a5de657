import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { parseFilters } from '@ctwa-ledger/schemas/report-filters.ts';
import { NARROWINGS } from '@ctwa-ledger/schemas/reports.ts';
import { csvReport, NARROWED_BY, objectReport, REPORTS, type ReportName } from '../exports/report.ts';
import type { Database } from '../ledger/database.ts';
import { DOWNLOAD_LIMITS, type Downloads } from './downloads.ts';

function fail(response: ServerResponse, status: number, code: string, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(`${JSON.stringify({ error: { code, message } })}\n`);
}

function isReport(name: string): name is ReportName {
  return (REPORTS as readonly string[]).includes(name);
}

/** Whether a query string asks for the sample data: bare `?sample`, `1` or `true`. */
export function asksForSample(query: URLSearchParams): boolean {
  const value = query.get('sample');
  return value !== null && value !== '0' && value !== 'false';
}

async function* jsonParts(batches: ReturnType<typeof objectReport>): AsyncGenerator<string> {
  let isFirst = true;
  for await (const rows of batches) {
    if (rows.length === 0) continue;
    const text = rows.map((row) => JSON.stringify(row)).join(',');
    yield isFirst ? `{"rows":[${text}` : `,${text}`;
    isFirst = false;
  }
  yield isFirst ? '{"rows":[]}\n' : ']}\n';
}

function headOf(name: ReportName, format: 'json' | 'csv'): OutgoingHttpHeaders {
  return format === 'json'
    ? { 'content-type': 'application/json; charset=utf-8' }
    : {
        'content-type': 'text/csv; charset=utf-8; header=present',
        'content-disposition': `attachment; filename="${name}.csv"`,
      };
}

/**
 * `GET /api/<report>` (contract.md 4): JSON, or CSV with `format=csv`, of the query that the screen shows. It is a download
 * like any other, whatever its size: 503 when too many are under way.
 * @param databaseFor the data that a request reads; null when it asks for sample data that is not there
 */
export async function answerApi(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  databaseFor: (sample: boolean) => Promise<Database | null>,
  downloads: Downloads,
): Promise<void> {
  const name = url.pathname.slice('/api/'.length);
  if (!isReport(name)) {
    fail(response, 404, 'NOT_FOUND', `There is no report "${name}"; there are ${REPORTS.join(', ')}.`);
    return;
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    fail(response, 405, 'METHOD_NOT_ALLOWED', 'Reports are read with GET.');
    return;
  }
  const query = url.searchParams;
  const text = (key: string): string | undefined => query.get(key) ?? undefined;
  const named = NARROWINGS.filter((narrowing) => query.has(narrowing));
  // A tag is whatever a sender attached, white space included.
  const only = Object.fromEntries(
    named.map((narrowing) => [narrowing, narrowing === 'tag' ? text(narrowing) : text(narrowing)?.trim()]),
  );
  const parsed = parseFilters(
    { from: text('from'), to: text('to'), tz: text('tz'), as_of: text('as_of'), only },
    Math.floor(Date.now() / 1000),
  );
  const format = text('format') ?? 'json';
  const by = text('by') ?? 'sent';
  if (!parsed.ok) {
    fail(response, 400, 'BAD_REQUEST', parsed.message);
    return;
  }
  if ((format !== 'json' && format !== 'csv') || (by !== 'sent' && by !== 'delivered' && by !== 'charged')) {
    fail(response, 400, 'BAD_REQUEST', 'format is json or csv; by is sent, delivered or charged.');
    return;
  }
  const narrowings = NARROWED_BY[name] ?? [];
  const unusable = named.find((narrowing) => !narrowings.includes(narrowing));
  if (unusable !== undefined) {
    // A filter that is passed over would give out more rows than were asked for.
    const usable = narrowings.length === 0 ? 'is always whole' : `can be narrowed by ${narrowings.join(', ')}`;
    fail(response, 400, 'BAD_REQUEST', `Report "${name}" cannot be narrowed by ${unusable}; it ${usable}.`);
    return;
  }
  const database = await databaseFor(asksForSample(query));
  if (database === null) {
    fail(response, 404, 'NO_SAMPLE', 'There is no sample data any more; leave out "sample" to read the ledger.');
    return;
  }
  const parts =
    format === 'csv'
      ? csvReport(name, database, parsed.filters, by)
      : jsonParts(objectReport(name, database, parsed.filters, by));
  if ((await downloads.send(response, headOf(name, format), parts)) !== 'busy') return;
  response.setHeader('retry-after', String(DOWNLOAD_LIMITS.stalled_ms / 1000));
  fail(response, 503, 'BUSY', 'Too many downloads are under way. Try again in half a minute.');
}

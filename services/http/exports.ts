import type { IncomingMessage, ServerResponse } from 'node:http';
import { exportDefinition, type ExportState } from '@ctwa-ledger/schemas/exports.ts';
import { monthSchema } from '@ctwa-ledger/schemas/periods.ts';
import { LedgerAwayError, ActionableError } from '../clickhouse/errors.ts';
import type { Database } from '../clickhouse/database.ts';
import { showExports } from '../exports/runner.ts';
import { listRuns } from '../exports/runs.ts';
import { addSchedule, findSchedule, listSchedules, setScheduleState } from '../exports/schedules.ts';
import { receiveBody } from '../ingest/body.ts';
import type { UnfinishedBodies } from '../ingest/unfinished.ts';
import { standingClosings } from '../reports/closed-periods.ts';

const MAX_BODY_BYTES = 64 * 1024;
/** Who changes schedules through the API; it has no names of its own. */
const BY_API = 'api';

const VERBS: ReadonlyMap<string, ExportState> = new Map([
  ['pause', 'paused'],
  ['resume', 'active'],
  ['remove', 'removed'],
]);

export interface ExportsDoor {
  /** As the user that may write. */
  readonly database: Database;
  /** Whether schedules can be changed here. */
  readonly mayChange: boolean;
  readonly unfinished: UnfinishedBodies;
}

function send(response: ServerResponse, status: number, answer: object): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' });
  response.end(`${JSON.stringify(answer)}\n`);
}

function fail(response: ServerResponse, status: number, code: string, message: string): void {
  send(response, status, { error: { code, message } });
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}

/** The body as JSON; null when it was answered already. A page elsewhere cannot send this type without being asked. */
async function bodyOf(
  request: IncomingMessage,
  response: ServerResponse,
  unfinished: UnfinishedBodies,
): Promise<{ readonly value: unknown } | null> {
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
    fail(response, 415, 'NOT_JSON', 'Send it as application/json.');
    return null;
  }
  const body = await receiveBody(request, unfinished, MAX_BODY_BYTES);
  if (body === 'gone') return null;
  if (!Buffer.isBuffer(body)) {
    fail(response, body === 'too_large' ? 413 : 503, 'NOT_READ', 'The body was too large, or not whole in time.');
    return null;
  }
  try {
    return { value: body.length === 0 ? {} : JSON.parse(body.toString('utf8')) };
  } catch (error) {
    fail(response, 400, 'BAD_REQUEST', `The body is not JSON: ${error instanceof Error ? error.message : 'unknown'}.`);
    return null;
  }
}

async function change(
  response: ServerResponse,
  database: Database,
  name: string,
  verb: string,
  value: unknown,
): Promise<void> {
  try {
    const state = VERBS.get(verb);
    if (state !== undefined) {
      await setScheduleState(database, name, state, BY_API, now());
      send(response, 200, { name, state });
      return;
    }
    const parsed = exportDefinition.safeParse(value);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      fail(response, 400, 'BAD_REQUEST', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'unknown'}.`);
      return;
    }
    const { schedule_id } = await addSchedule(database, parsed.data, BY_API, now());
    const shown = (await showExports(database, now())).find((one) => one.schedule_id === schedule_id);
    send(response, 201, shown ?? { schedule_id });
  } catch (error) {
    if (error instanceof LedgerAwayError || !(error instanceof ActionableError)) throw error;
    fail(response, 400, 'BAD_REQUEST', error.message);
  }
}

/**
 * `/api/exports` (contract.md 4): what is exported on a schedule. GET lists, and with a name also the runs; POST adds, and
 * with a name and a verb pauses, resumes or removes.
 */
export async function answerExports(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  { database, mayChange, unfinished }: ExportsDoor,
): Promise<void> {
  const [name = '', verb = '', ...rest] = url.pathname.split('/').slice(3).map(decodedOf);
  const isChange = verb === '' ? name === '' : VERBS.has(verb);
  const schedules = name === '' ? [] : await listSchedules(database);
  const isKnown = name === '' || schedules.some(({ definition }) => definition.name === name);
  if (!isKnown || rest.length > 0 || (verb !== '' && !isChange)) {
    fail(
      response,
      404,
      'NOT_FOUND',
      isKnown ? `There is no ${url.pathname}.` : `There is no scheduled export "${name}".`,
    );
    return;
  }
  const methods = verb !== '' ? ['POST'] : isChange ? ['GET', 'HEAD', 'POST'] : ['GET', 'HEAD'];
  if (!methods.includes(request.method ?? '')) {
    response.setHeader('allow', methods.join(', '));
    fail(response, 405, 'METHOD_NOT_ALLOWED', `This address takes ${methods.join(', ')}.`);
    return;
  }
  if (request.method === 'POST') {
    if (!mayChange) {
      fail(response, 403, 'READ_ONLY', 'This process only reads; use "ctwa-ledger exports".');
      return;
    }
    const body = await bodyOf(request, response, unfinished);
    if (body !== null) await change(response, database, name, verb, body.value);
    return;
  }
  const shown = await showExports(database, now());
  if (name === '') {
    send(response, 200, { exports: shown });
    return;
  }
  const { schedule_id } = await findSchedule(database, name);
  send(response, 200, {
    ...shown.find((one) => one.schedule_id === schedule_id),
    runs: await listRuns(database, schedule_id),
  });
}

/** A part of an address; what is no text names nothing. */
function decodedOf(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return '\ufffd';
  }
}

/** `GET /api/periods/{account}/{month}` (contract.md 4): whether a month of an account is closed, and how. */
export async function answerPeriod(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  database: Database,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    fail(response, 405, 'METHOD_NOT_ALLOWED', 'Periods are read with GET.');
    return;
  }
  const [account = '', month = '', ...rest] = url.pathname.split('/').slice(3).map(decodedOf);
  if (account === '' || rest.length > 0 || !monthSchema.safeParse(month).success) {
    fail(response, 400, 'BAD_REQUEST', 'Ask like /api/periods/102290129340398/2026-10; "none" is no account.');
    return;
  }
  const waba_id = account === 'none' ? '' : account;
  const closings = await standingClosings(database, { from: `${month}-01`, to: `${month}-02` });
  const closing = closings.find((one) => one.waba_id === waba_id);
  send(response, 200, { waba_id, month, status: closing === undefined ? 'open' : 'closed', closing: closing ?? null });
}

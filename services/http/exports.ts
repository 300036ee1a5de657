import type { IncomingMessage, ServerResponse } from 'node:http';
import { exportDays, exportDefinition, type ExportState } from '@ctwa-ledger/schemas/exports.ts';
import { z } from 'zod';
import { ActionableError, ConflictError, LedgerAwayError } from '../clickhouse/errors.ts';
import type { Database } from '../clickhouse/database.ts';
import { showExports, type EndedRun, type Exports } from '../exports/runner.ts';
import { listRuns } from '../exports/runs.ts';
import { addSchedule, findSchedule, listSchedules, setScheduleState } from '../exports/schedules.ts';
import { receiveBody } from '../ingest/body.ts';
import type { UnfinishedBodies } from '../ingest/unfinished.ts';
import { decodedPart, failure, sendAnswer } from './answers.ts';

const MAX_BODY_BYTES = 64 * 1024;
/** Actions on a schedule besides changing its state. */
const RUN_VERBS = ['run', 'backfill'] as const;
type RunVerb = (typeof RUN_VERBS)[number];

function isRunVerb(verb: string): verb is RunVerb {
  return RUN_VERBS.some((known) => known === verb);
}

/** The author of changes through the API, which knows no user names. */
const BY_API = 'api';

const VERBS: ReadonlyMap<string, ExportState> = new Map([
  ['pause', 'paused'],
  ['resume', 'active'],
  ['remove', 'removed'],
]);

const emptyBody = z.strictObject({});

export interface ExportsDoor {
  /** Connects as the user that may write. */
  readonly database: Database;
  /** Whether this server may change schedules. */
  readonly mayChange: boolean;
  /** Runs exports in this process; null when an exporter does. */
  readonly exports: Exports | null;
  readonly unfinished: UnfinishedBodies;
}

function send(response: ServerResponse, status: number, body: object): void {
  sendAnswer(response, { status, body });
}

function fail(response: ServerResponse, status: number, code: string, message: string): void {
  sendAnswer(response, failure(status, code, message));
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}

/**
 * The body as JSON; null when the request was already answered. A page of another site cannot send this type unless the
 * server allows it.
 */
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
    fail(response, body === 'too_large' ? 413 : 503, 'NOT_READ', 'The body was too large, or not complete in time.');
    return null;
  }
  try {
    return { value: body.length === 0 ? {} : JSON.parse(body.toString('utf8')) };
  } catch (error) {
    fail(response, 400, 'BAD_REQUEST', `The body is not JSON: ${error instanceof Error ? error.message : 'unknown'}.`);
    return null;
  }
}

/** @throws ActionableError when a body is not what the address takes */
function taken<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join('.') ?? '';
  throw new ActionableError(`${where === '' ? 'The body' : where}: ${issue?.message ?? 'unknown'}.`);
}

/** Runs a schedule, and answers when the run has ended. */
async function run(exports: Exports, name: string, verb: RunVerb, value: unknown): Promise<readonly EndedRun[]> {
  if (verb === 'run') {
    taken(emptyBody, value);
    return exports.runNow(name, BY_API, now());
  }
  const days = taken(exportDays, value);
  if (days.from >= days.to) throw new ActionableError(`from ${days.from} is not before to ${days.to}.`);
  return exports.backfill(name, days, BY_API);
}

async function change(
  response: ServerResponse,
  { database, exports }: ExportsDoor,
  name: string,
  verb: string,
  value: unknown,
): Promise<void> {
  try {
    const state = VERBS.get(verb);
    if (state !== undefined) {
      taken(emptyBody, value);
      await setScheduleState(database, name, state, BY_API, now());
      send(response, 200, { name, state });
    } else if (isRunVerb(verb)) {
      if (exports === null)
        fail(
          response,
          409,
          'NO_EXPORTER',
          'This process writes no files; use "ctwa-ledger exports" where the exporter is.',
        );
      else send(response, 200, { name, runs: await run(exports, name, verb, value) });
    } else {
      const { schedule_id } = await addSchedule(database, taken(exportDefinition, value), BY_API, now());
      const shown = (await showExports(database, now())).find((one) => one.schedule_id === schedule_id);
      send(response, 201, shown ?? { schedule_id });
    }
  } catch (error) {
    if (error instanceof LedgerAwayError || !(error instanceof ActionableError)) throw error;
    if (error instanceof ConflictError) fail(response, 409, 'CONFLICT', error.message);
    else fail(response, 400, 'BAD_REQUEST', error.message);
  }
}

/**
 * `/api/exports` (contract.md 4): exports on a schedule. GET lists schedules, with a name also the runs; POST adds a
 * schedule, and with a name and a verb pauses, resumes, removes, runs or backfills it.
 */
export async function answerExports(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  door: ExportsDoor,
): Promise<void> {
  const { database, mayChange, unfinished } = door;
  const [name = '', verb = '', ...rest] = url.pathname.split('/').slice(3).map(decodedPart);
  const isChange = verb === '' ? name === '' : VERBS.has(verb) || isRunVerb(verb);
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
  const [parameter] = url.searchParams.keys();
  if (parameter !== undefined) {
    fail(response, 400, 'BAD_REQUEST', `${url.pathname} takes no parameter "${parameter}".`);
    return;
  }
  if (request.method === 'POST') {
    if (!mayChange) {
      fail(response, 403, 'READ_ONLY', 'This process only reads; use "ctwa-ledger exports".');
      return;
    }
    const body = await bodyOf(request, response, unfinished);
    if (body !== null) await change(response, door, name, verb, body.value);
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

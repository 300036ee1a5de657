import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { MAX_CSV_FILE_BYTES } from '@ctwa-ledger/schemas/csv-file.ts';
import { handOver, type HostedRequest } from '@ctwa-ledger/schemas/hosted-request.ts';
import type { Reports } from '@ctwa-ledger/schemas/reports.ts';
import type { Exports } from '../exports/runner.ts';
import { announcedBytes } from '../ingest/body.ts';
import { UnfinishedBodies, type UnfinishedLimits } from '../ingest/unfinished.ts';
import { BODY_LIMITS, receiveDelivery, verifyHandshake, type Sink, type WebhookSecrets } from '../ingest/webhook.ts';
import { answerApi, type ReadLedger } from './api.ts';
import { answerCaseDecision } from './cases.ts';
import { answerClaims, entersClaim } from './claims.ts';
import { answerOutcomes, isOfOutcomes } from './outcomes.ts';
import { answerWriteOffs, entersWriteOff } from './write-offs.ts';
import { boundConnections, MAX_CONNECTIONS } from './connections.ts';
import { DOWNLOAD_LIMITS, Downloads } from './downloads.ts';
import { answerExports } from './exports.ts';
import type { Metrics } from './metrics.ts';
import { answerPeriod } from './periods.ts';
import { QUESTION_LIMITS, SendCheckDoor, type AskSendCheck } from './send-check.ts';
import { answerTriggers, isOfTriggers } from './triggers.ts';

/** The built dashboard: a Node request handler. It gets its queries and changes with each request. */
export type PageHandler = (request: IncomingMessage, response: ServerResponse) => void;

export interface ServerParts {
  readonly secrets: WebhookSecrets;
  /** Null on a server that receives no webhooks. */
  readonly sink: Sink | null;
  /** Null on a server without reports: it has no pages and no API. */
  readonly reports: {
    readonly queries: (sample: boolean, isReading: boolean) => Reports;
    readonly changes: HostedRequest['changes'];
    readonly process: HostedRequest['process'];
    readonly about: HostedRequest['about'];
    readonly ledgerFor: (sample: boolean) => Promise<ReadLedger | null>;
    readonly sendCheck: AskSendCheck;
    readonly pages: PageHandler;
    /** Why there is nothing to read yet; null when there is. */
    readonly waitingFor: () => string | null;
    /** Runs scheduled exports in this process; null when an exporter does. */
    readonly exports: () => Exports | null;
  } | null;
  readonly metrics: Metrics;
  /** Whether the background work of the process is still running. */
  readonly isAlive?: () => boolean;
  /** Host names at which pages and API answer; null = any. */
  readonly hosts: ReadonlySet<string> | null;
  /** Throws with the reason when the server cannot work now. */
  readonly checkReady: () => Promise<void>;
  readonly onError: (what: string, error: unknown) => void;
}

/** Pages read a form up to this size: twice the limit of a file, so that they can say why a file is too large. */
export const MAX_FORM_BYTES = 2 * MAX_CSV_FILE_BYTES;
/** Limits for forms that are being sent to pages. */
const FORM_LIMITS: UnfinishedLimits = { bodies: 16, bytes: 2 * MAX_FORM_BYTES, milliseconds: 60_000 };
/** A connection without traffic is ended after this time. No statement of ours may take longer either. */
const IDLE_MS = 600_000;

/** What a server keeps between requests. */
interface Shared extends ServerParts {
  readonly deliveries: UnfinishedBodies;
  readonly forms: UnfinishedBodies;
  /** Limits send checks and changes of schedules. */
  readonly questions: UnfinishedBodies;
  readonly downloads: Downloads;
  /** Null without reports. */
  readonly sendChecks: SendCheckDoor | null;
}

/** A readiness probe does not wait for long. */
const MAX_READY_MS = 5_000;

async function withinTime(check: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`The ledger or the broker has not answered for ${MAX_READY_MS / 1000} s.`));
    }, MAX_READY_MS);
  });
  await Promise.race([check, late]).finally(() => {
    clearTimeout(timer);
  });
}

function plain(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${text}\n`);
}

/**
 * The address of a request; null when it is not a path of this server. It is not resolved against a base, because
 * `//x/y` would then be a host.
 */
function addressOf(request: IncomingMessage): URL | null {
  const target = request.url ?? '/';
  return target.startsWith('/') && URL.canParse(`http://localhost${target}`)
    ? new URL(`http://localhost${target}`)
    : null;
}

const isReading = ({ method }: IncomingMessage): boolean => method === 'GET' || method === 'HEAD';

/** Answers probes, metrics and the webhook, which every name of the server may ask. Returns whether it did. */
async function answerOperation(
  parts: Shared,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<boolean> {
  switch (url.pathname) {
    case '/healthz':
      if (parts.isAlive?.() ?? true) plain(response, 200, 'ok');
      else plain(response, 503, "The consumer's loop has not run for a minute. See the log.");
      return true;
    case '/readyz':
      try {
        await withinTime(parts.checkReady());
        plain(response, 200, 'ready');
      } catch (error) {
        plain(response, 503, `not ready: ${error instanceof Error ? error.message : String(error)}`);
      }
      return true;
    case '/metrics':
      response.writeHead(200, { 'content-type': parts.metrics.registry.contentType });
      response.end(await parts.metrics.registry.metrics());
      return true;
    case '/webhook':
      if (parts.sink === null) return false;
      if (isReading(request)) verifyHandshake(url.searchParams, parts.secrets, response);
      else if (request.method === 'POST') await takeDelivery(parts, parts.sink, request, response);
      else {
        response.setHeader('allow', 'GET, POST');
        plain(response, 405, 'The webhook takes GET and POST.');
      }
      return true;
    default:
      return false;
  }
}

/** Answers addresses of the API: changes, send checks, periods and schedules, then reports. Returns whether it did. */
async function answerApiAddress(
  parts: Shared,
  reports: NonNullable<Shared['reports']>,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<boolean> {
  const { pathname } = url;
  const changes = reports.changes?.(false) ?? null;
  if (pathname === '/api/send-check' && parts.sendChecks !== null)
    await parts.sendChecks.answer(request, response, url);
  else if (pathname === '/api/cases' && request.method === 'POST')
    await answerCaseDecision(request, response, url, { changes, unfinished: parts.questions });
  else if (entersClaim(request, url))
    await answerClaims(request, response, url, { changes, unfinished: parts.questions });
  else if (entersWriteOff(request, url))
    await answerWriteOffs(request, response, url, { changes, unfinished: parts.questions });
  else if (isOfOutcomes(request, url)) {
    const ledger = await reports.ledgerFor(false);
    if (ledger === null) plain(response, 503, 'The ledger is not open yet.');
    else
      await answerOutcomes(request, response, url, {
        database: ledger.database,
        changes,
        unfinished: parts.questions,
      });
  } else if (isOfTriggers(pathname))
    await answerTriggers(request, response, url, {
      queries: reports.queries(false, isReading(request)),
      changes,
      unfinished: parts.forms,
    });
  else if (pathname.startsWith('/api/periods/') || /^\/api\/exports(?:\/|$)/.test(pathname)) {
    const ledger = await reports.ledgerFor(false);
    if (ledger === null) plain(response, 503, 'The ledger is not open yet.');
    else if (pathname.startsWith('/api/periods/')) await answerPeriod(request, response, url, ledger.database);
    else
      await answerExports(request, response, url, {
        database: ledger.database,
        mayChange: reports.changes !== null,
        exports: reports.exports(),
        unfinished: parts.questions,
      });
  } else if (pathname === '/api' || pathname.startsWith('/api/'))
    await answerApi(request, response, url, reports.ledgerFor, parts.downloads);
  else return false;
  return true;
}

async function route(parts: Shared, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = addressOf(request);
  if (url === null) {
    plain(response, 404, 'Not found.');
    return;
  }
  if (await answerOperation(parts, request, response, url)) return;
  if (parts.hosts !== null && !parts.hosts.has(hostOf(request))) {
    // A page of another site could give its own name this machine's address, and read the ledger through the browser.
    plain(response, 403, 'This server answers to localhost only. Set ORIGIN to the address that people open.');
    return;
  }
  const { reports } = parts;
  if (reports === null) {
    plain(response, 404, parts.sink === null ? 'Not found.' : 'Not found. This server takes webhooks at /webhook.');
    return;
  }
  const waitingFor = reports.waitingFor();
  if (waitingFor !== null) {
    response.setHeader('retry-after', '5');
    plain(response, 503, waitingFor);
    return;
  }
  if (await answerApiAddress(parts, reports, request, response, url)) return;
  if (!isReading(request)) holdForm(parts.forms, request);
  // The dashboard compares the origin of form posts with this protocol.
  request.headers['x-forwarded-proto'] = 'http';
  const { queries, changes, process, about } = reports;
  const only = isReading(request);
  handOver(request, { reports: (sample) => queries(sample, only), changes, process, about });
  reports.pages(request, response);
}

function hostOf(request: IncomingMessage): string {
  const host = request.headers.host ?? '';
  return URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : '';
}

async function takeDelivery(
  parts: Shared,
  sink: Sink,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const end = parts.metrics.deliverySeconds.startTimer();
  // The outcomes of the events may be known only after the answer.
  response.once('close', () => {
    end();
    // One that left early got no answer.
    if (response.headersSent) parts.metrics.noteDelivery(response.statusCode);
  });
  const counts = await receiveDelivery(request, response, {
    secrets: parts.secrets,
    sink,
    unfinished: parts.deliveries,
    onUnfinished: (reason) => {
      parts.metrics.unfinished.inc({ reason });
    },
    onFailure: (error) => {
      parts.metrics.failures.inc({ work: 'webhook' });
      parts.onError('A webhook delivery could not be stored; it was answered with 503', error);
    },
  });
  if (counts === null) return;
  parts.metrics.countEvents({ ...counts });
}

/** Counts a form that is being sent to a page, at its announced size, because the pages read it themselves. */
function holdForm(forms: UnfinishedBodies, request: IncomingMessage): void {
  const seat = forms.enter(() => {
    request.destroy();
  });
  request.on('end', seat.leave).on('close', seat.leave);
  seat.hold(Math.min(announcedBytes(request) ?? MAX_FORM_BYTES, MAX_FORM_BYTES));
}

function sharedParts(parts: ServerParts): Shared {
  const { metrics } = parts;
  const deliveries = new UnfinishedBodies(BODY_LIMITS);
  const downloads = new Downloads(DOWNLOAD_LIMITS, (outcome) => {
    metrics.downloads.inc({ outcome });
  });
  if (parts.sink !== null) {
    const bodies = 'deliveries whose body is not complete yet';
    metrics.watch('ctwa_webhook_unfinished', `Number of ${bodies}.`, () => deliveries.count);
    metrics.watch('ctwa_webhook_unfinished_bytes', `Bytes held of ${bodies}.`, () => deliveries.bytes);
  }
  if (parts.reports !== null) {
    metrics.watch('ctwa_downloads', 'Downloads that are being sent.', () => downloads.running);
    metrics.watch('ctwa_downloads_waiting', 'Downloads that wait for others to end.', () => downloads.waiting);
  }
  const { reports } = parts;
  const questions = new UnfinishedBodies(QUESTION_LIMITS);
  const sendChecks = reports === null ? null : new SendCheckDoor(questions, (...asked) => reports.sendCheck(...asked));
  return { ...parts, deliveries, downloads, questions, sendChecks, forms: new UnfinishedBodies(FORM_LIMITS) };
}

/** One HTTP server for webhook, API, pages, health and metrics. */
export function createHttpServer(parts: ServerParts): Server {
  const shared = sharedParts(parts);
  const server = createServer(
    {
      requestTimeout: 60_000,
      headersTimeout: 20_000,
      // How often the two timeouts are checked.
      connectionsCheckingInterval: 5_000,
      // Longer than load balancers keep connections: a request on a connection that is just being closed gets no
      // answer.
      keepAliveTimeout: 65_000,
      maxHeaderSize: 16 * 1024,
    },
    (request, response) => {
      response.setHeader('x-content-type-options', 'nosniff');
      response.setHeader('referrer-policy', 'same-origin');
      response.setHeader('x-frame-options', 'DENY');
      route(shared, request, response).catch((error: unknown) => {
        parts.onError(`${request.method ?? ''} ${request.url ?? ''} failed`, error);
        plain(response, 500, 'The request failed. See the log of the server.');
      });
    },
  );
  server.timeout = IDLE_MS;
  server.maxHeadersCount = 100;
  boundConnections(server, MAX_CONNECTIONS);
  return server;
}

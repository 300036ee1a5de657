import { setTimeout as sleep } from 'node:timers/promises';
import { isObject } from '@ctwa-ledger/schemas/json.ts';
import { ActionableError } from '../clickhouse/errors.ts';

/** Meta's Graph API refused the request itself, and would refuse it again. */
export class GraphRefusedError extends ActionableError {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export interface GraphClientOptions {
  /** With its version, without a slash at the end. */
  readonly url: string;
  readonly token: string;
  /** Waits so many milliseconds between two attempts. */
  readonly pause?: (milliseconds: number) => Promise<unknown>;
}

const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 1_000;
/** The longest wait for a rate limit. After that the command can be run again. */
const LONGEST_PAUSE_MS = 5 * 60_000;
const TIMEOUT_MS = 60_000;
const MAX_BYTES = 32 * 1024 * 1024;
const MAX_PAGES = 1_000;

const EXPIRED = 190;
/** Error codes for too many calls: of the app, of the account, of the business use case. */
const RATE_LIMITS = new Set([4, 17, 32, 613, 80_007, 80_008]);
/** "Please retry your request later." */
const TRANSIENT = new Set([1, 2]);
const isPermission = (code: number): boolean => code === 10 || code === 3 || (code >= 200 && code < 300);

/** The error of one attempt, and what to do about it. */
type Failure =
  | { readonly kind: 'again'; readonly why: string; readonly wait_ms: number | null }
  | { readonly kind: 'refused'; readonly error: ActionableError };

interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
}

/** An answer as it came, and the address of the page after it. */
interface GraphPage {
  readonly bytes: Buffer;
  readonly next: string | null;
}

function numberIn(value: unknown): number {
  return typeof value === 'number' ? value : Number.NaN;
}

/** How long the API says that a limit lasts, in milliseconds; null when it does not say. */
function waitOf(headers: Headers): number | null {
  const after = Number(headers.get('retry-after') ?? Number.NaN);
  if (Number.isFinite(after)) return after * 1_000;
  // Meta gives it in minutes, by business, for each kind of limit.
  const usage = headers.get('x-business-use-case-usage') ?? '';
  const minutes = [...usage.matchAll(/"estimated_time_to_regain_access"\s*:\s*(\d{1,5})/g)].map(([, n]) => Number(n));
  return minutes.length === 0 ? null : Math.max(...minutes) * 60_000;
}

function failureOf({ status, headers }: Reply, error: Record<string, unknown>): Failure {
  const code = numberIn(error['code']);
  const said = `code ${Number.isNaN(code) ? status : code}${typeof error['error_subcode'] === 'number' ? `, subcode ${error['error_subcode']}` : ''}: ${typeof error['message'] === 'string' ? error['message'].slice(0, 300) : `HTTP ${status}`}`;
  if (RATE_LIMITS.has(code) || status === 429)
    return { kind: 'again', why: `Meta limits how often it is asked (${said})`, wait_ms: waitOf(headers) };
  if (status >= 500 || TRANSIENT.has(code) || error['is_transient'] === true)
    return { kind: 'again', why: `Meta's API failed (${said})`, wait_ms: waitOf(headers) };
  const what =
    code === EXPIRED || status === 401
      ? `Meta does not take the token (${said}). Put one that is valid into META_ACCESS_TOKEN.`
      : isPermission(code)
        ? `The token lacks a permission (${said}). It needs whatsapp_business_management for this account.`
        : `Meta's API refused the question (${said}).`;
  return { kind: 'refused', error: new GraphRefusedError(code === EXPIRED || status === 401 ? EXPIRED : code, what) };
}

/** Whether the token was refused, so that trying another account would not help. */
export function isTokenRefused(error: unknown): boolean {
  return error instanceof GraphRefusedError && error.code === EXPIRED;
}

function nextOf(value: unknown): string | null {
  if (Array.isArray(value)) return null;
  if (!isObject(value)) return null;
  const { paging } = value;
  if (isObject(paging) && typeof paging['next'] === 'string' && paging['next'] !== '') return paging['next'];
  for (const member of Object.values(value)) {
    const next = nextOf(member);
    if (next !== null) return next;
  }
  return null;
}

async function readBytes(response: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > MAX_BYTES)
      throw new ActionableError(
        `Meta's answer is larger than ${MAX_BYTES / 1024 / 1024} MB: fetch fewer days at once.`,
      );
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** A small client of Meta's Graph API: sends requests, waits for rate limits, retries failures, and follows pages. */
export class GraphClient {
  readonly #url: URL;
  readonly #token: string;
  readonly #pause: (milliseconds: number) => Promise<unknown>;

  constructor({ url, token, pause = sleep }: GraphClientOptions) {
    this.#url = new URL(url);
    this.#token = token;
    this.#pause = pause;
  }

  async #ask(address: URL): Promise<Reply> {
    const response = await fetch(address, {
      headers: { authorization: `Bearer ${this.#token}`, accept: 'application/json' },
      // A redirect could send the token to another server.
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return { status: response.status, headers: response.headers, bytes: await readBytes(response) };
  }

  /** One attempt. */
  async #attempt(address: URL): Promise<GraphPage | Failure> {
    let reply: Reply;
    let value: unknown;
    try {
      reply = await this.#ask(address);
    } catch (error) {
      if (error instanceof ActionableError) return { kind: 'refused', error };
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      const why = cause instanceof Error ? cause.message : String(cause);
      return { kind: 'again', why: `Meta's API cannot be reached at ${this.#url.origin} (${why})`, wait_ms: null };
    }
    try {
      value = JSON.parse(reply.bytes.toString('utf8'));
    } catch {
      if (reply.status >= 400) return failureOf(reply, {});
      return { kind: 'again', why: "Meta's answer ended too early", wait_ms: null };
    }
    if (isObject(value) && isObject(value['error'])) return failureOf(reply, value['error']);
    if (reply.status >= 400) return failureOf(reply, {});
    return { bytes: reply.bytes, next: nextOf(value) };
  }

  async #get(address: URL): Promise<GraphPage> {
    for (let attempt = 1; ; attempt++) {
      const reply = await this.#attempt(address);
      if (!('kind' in reply)) return reply;
      if (reply.kind === 'refused') throw reply.error;
      const wait = reply.wait_ms ?? FIRST_PAUSE_MS * 2 ** (attempt - 1);
      if (attempt === ATTEMPTS || wait > LONGEST_PAUSE_MS)
        throw new ActionableError(
          `${reply.why}, ${attempt === 1 ? 'once' : `${attempt} times`}. ${wait > LONGEST_PAUSE_MS ? `It may be asked again in ${Math.ceil(wait / 60_000)} minutes` : 'Try again later'}: what was fetched before is kept.`,
        );
      await this.#pause(wait);
    }
  }

  /**
   * All pages of an answer, unchanged except for the token.
   * @throws GraphRefusedError when the request itself is refused
   * @throws ActionableError when the API cannot be reached, or keeps failing
   */
  async pages(path: string, query: Readonly<Record<string, string>>): Promise<Buffer[]> {
    const first = new URL(`${this.#url.href.replace(/\/$/, '')}/${path}`);
    for (const [name, value] of Object.entries(query)) first.searchParams.set(name, value);
    const pages: Buffer[] = [];
    for (let address: URL | null = first; address !== null;) {
      if (pages.length === MAX_PAGES)
        throw new ActionableError(`Meta's answer has more than ${MAX_PAGES} pages: fetch fewer days at once.`);
      const { bytes, next }: GraphPage = await this.#get(address);
      // The address of the next page contains the token, which must not be stored in the file.
      pages.push(Buffer.from(bytes.toString('utf8').replaceAll(/access_token=[^"&\\]*/g, 'access_token=')));
      address = next === null ? null : new URL(next);
      if (address !== null && address.origin !== this.#url.origin)
        throw new ActionableError(`Meta's answer goes on at ${address.origin}, which is not ${this.#url.origin}.`);
    }
    return pages;
  }
}

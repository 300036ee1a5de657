import { spawn, type ChildProcess } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../../services/cli/ctwa-ledger.js', import.meta.url));
/** Generous, because it only ends what hangs: machines that run tests are slow now and then. */
const PATIENCE_MS = 150_000;
/** What a developer's shell may carry and a test must not inherit. */
const FOREIGN = /^(CLICKHOUSE_|KAFKA_|META_|CTWA_|LOG_LEVEL$)/;

export type Env = Readonly<Record<string, string>>;

export const SECRETS = { META_APP_SECRET: 'the app secret', META_VERIFY_TOKEN: 'the verify token' } as const;

function environment(extra: Env): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !FOREIGN.test(name));
  return { ...Object.fromEntries(kept), ...extra };
}

export function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Asks again and again until the answer is something, and gives it. Only the time limit is a guess, and a long one. */
export async function until<T>(what: string, probe: () => Promise<T | null | false> | T | null | false): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await probe();
    if (answer !== null && answer !== false) return answer;
    if (Date.now() > deadline) throw new Error(`Waited in vain until ${what}.`);
    await wait(25);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

interface EngineAddress {
  readonly pid: number;
  readonly port: number;
  readonly key: string;
}

/** A data directory of its own in the temporary directory, with the engine that commands start in it. */
export class DataDirectory {
  #path: string | null = null;
  readonly #children = new Set<ChildProcess>();

  /** Made when it is first asked for: tests that are left out leave nothing behind. */
  get path(): string {
    return (this.#path ??= mkdtempSync(join(tmpdir(), 'ctwa-product-')));
  }

  file(name: string): string {
    return join(this.path, name);
  }

  #engine(): EngineAddress | null {
    try {
      return JSON.parse(readFileSync(this.file('engine.json'), 'utf8')) as EngineAddress;
    } catch {
      return null;
    }
  }

  /** Ends the engine host, the hard way unless told otherwise; resolves when the process is gone. */
  async killEngine(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    const engine = this.#engine();
    if (engine === null || !isAlive(engine.pid)) return;
    process.kill(engine.pid, signal);
    await until('the engine host is gone', () => !isAlive(engine.pid));
  }

  /** Takes over what is in another directory, whose engine must not run. */
  copy(other: DataDirectory): void {
    cpSync(other.file('clickhouse'), this.file('clickhouse'), { recursive: true, verbatimSymlinks: true });
  }

  /** Asks the engine itself, past everything of ours. */
  async query(sql: string): Promise<unknown[][]> {
    const engine = this.#engine();
    if (engine === null) throw new Error('No engine runs in this data directory.');
    const response = await fetch(`http://127.0.0.1:${engine.port}/?database=ctwa_ledger`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`default:${engine.key}`).toString('base64')}` },
      body: sql,
    });
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    return text
      .trim()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as unknown[]);
  }

  /** @internal Children that are ended with the directory, should a test leave some behind. */
  adopt(child: ChildProcess): void {
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
  }

  /** Ends every process of this directory and removes it. */
  async remove(): Promise<void> {
    if (this.#path === null) return;
    for (const child of this.#children) child.kill('SIGKILL');
    await this.killEngine();
    rmSync(this.path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

function spawnCli(data: DataDirectory, args: readonly string[], env: Env): ChildProcess {
  // A server that is named in the environment is the ledger's place instead.
  const place = 'CLICKHOUSE_URL' in env ? [] : ['--data', data.path];
  // The working directory is the data directory: a configuration file of the checkout is none of a test's business.
  const child = spawn(process.execPath, [CLI, ...args, ...place], {
    cwd: data.path,
    env: environment(env),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  data.adopt(child);
  return child;
}

function collect(child: ChildProcess): { readonly stdout: () => string; readonly stderr: () => string } {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
  return {
    stdout: () => Buffer.concat(out).toString('utf8'),
    stderr: () => Buffer.concat(err).toString('utf8'),
  };
}

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. */
export async function run(
  data: DataDirectory,
  args: readonly string[],
  options: { readonly env?: Env; readonly input?: string } = {},
): Promise<Finished> {
  const child = spawnCli(data, args, options.env ?? {});
  const { stdout, stderr } = collect(child);
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  child.stdin?.end(options.input ?? '');
  return { code: await closed, stdout: stdout(), stderr: stderr() };
}

/** Runs a command that must succeed and gives what it printed. */
export async function output(
  data: DataDirectory,
  args: readonly string[],
  options: { readonly env?: Env; readonly input?: string } = {},
): Promise<string> {
  const { code, stdout, stderr } = await run(data, args, options);
  if (code !== 0) throw new Error(`ctwa-ledger ${args.join(' ')} ended with ${code}: ${stderr}`);
  return stdout;
}

/** A running `start`, `webhook` or `dashboard`. */
export class Product {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  readonly #stderr: () => string;

  constructor(url: string, child: ChildProcess, ended: Promise<number | null>, stderr: () => string) {
    this.url = url;
    this.#child = child;
    this.#ended = ended;
    this.#stderr = stderr;
  }

  /** What it has logged so far. */
  get log(): string {
    return this.#stderr();
  }

  /** Ctrl-C; gives the exit code. */
  stop(): Promise<number | null> {
    this.#child.kill('SIGINT');
    return this.#ended;
  }

  /** Ends it the hard way. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}

export interface StartOptions {
  readonly command?: 'start' | 'webhook' | 'dashboard';
  readonly args?: readonly string[];
  readonly env?: Env;
}

/** Starts the product on any free port and waits until it says that it runs. */
export async function startProduct(data: DataDirectory, options: StartOptions = {}): Promise<Product> {
  const { command = 'start', args = [], env = SECRETS } = options;
  const child = spawnCli(data, [command, '--port', '0', ...args], env);
  const { stdout, stderr } = collect(child);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  let hasEnded = false;
  void ended.then(() => (hasEnded = true));
  const url = await until('the product says that it runs', () => {
    if (hasEnded) throw new Error(`${command} ended before it ran: ${stderr()}`);
    return /^ctwa-ledger is running: (http:\S+)$/m.exec(stdout())?.[1] ?? null;
  });
  return new Product(url, child, ended, stderr);
}

/** What Meta sends in `X-Hub-Signature-256`: over the raw bytes. */
export function signatureOf(body: string | Buffer, secret: string = SECRETS.META_APP_SECRET): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

/**
 * Waits until a page says that figures and amounts hold everything that was stored: a server recomputes them in the
 * background, so that what is read once, soon after something was stored, may be of before. Gives the page.
 */
export function untilSettled(product: Pick<Product, 'url'>, path = '/health'): Promise<string> {
  return until('figures and amounts are settled', async () => {
    const html = await (await fetch(`${product.url}${path}`)).text();
    return html.includes('Summaries up to date') && html;
  });
}

/** A number of `/metrics`; 0 where it is not counted yet. */
export async function metric(product: Product, name: string): Promise<number> {
  const text = await (await fetch(`${product.url}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return line === undefined ? 0 : Number(line.slice(name.length + 1));
}

/**
 * A delivery is answered when its events are kept, and counted when their marks are made.
 * @param events that were delivered to the product since it began
 */
export async function untilCounted(product: Product, events: number): Promise<void> {
  await until(
    'what was delivered is counted',
    async () => (await metric(product, 'ctwa_events_total{outcome="read"}')) >= events,
  );
}

/** Sends a body to the webhook, signed unless another signature (or none: null) is given. */
export async function deliver(
  product: Product,
  body: string | Buffer,
  signature: string | null = signatureOf(body),
  headers: Readonly<Record<string, string>> = {},
): Promise<number> {
  const response = await fetch(`${product.url}/webhook`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...headers,
      ...(signature === null ? {} : { 'x-hub-signature-256': signature }),
    },
    body: typeof body === 'string' ? body : new Uint8Array(body),
  });
  await response.arrayBuffer();
  return response.status;
}

/** One change of Meta's envelope. */
export interface Change {
  readonly field: string;
  readonly value: Readonly<Record<string, unknown>>;
}

export const WABA = '102290129340398';
export const NUMBER = '106540352242922';

/** Meta's webhook envelope around changes of one account. */
export function envelope(...changes: readonly Change[]): string {
  return JSON.stringify({ object: 'whatsapp_business_account', entry: [{ id: WABA, changes }] });
}

function change(field: string, members: Readonly<Record<string, unknown>>, number: string): Change {
  return {
    field,
    value: {
      messaging_product: 'whatsapp',
      metadata: { display_phone_number: '15550783881', phone_number_id: number },
      ...members,
    },
  };
}

/** A change with messages from customers. */
export function inbound(messages: readonly unknown[], number: string = NUMBER): Change {
  return change('messages', { messages }, number);
}

/** A change with statuses. */
export function statuses(list: readonly unknown[], number: string = NUMBER): Change {
  return change('messages', { statuses: list }, number);
}

/** A change with messages that were sent from the WhatsApp Business app. */
export function echoes(list: readonly unknown[], number: string = NUMBER): Change {
  return change('smb_message_echoes', { message_echoes: list }, number);
}

/** A delivered status: alone it makes one row of the report `messages`. */
export function deliveredStatus(id: string, at: number): Readonly<Record<string, unknown>> {
  return { id, status: 'delivered', timestamp: String(at), recipient_id: '16505551234' };
}

/** A CSV of ours as objects by column name. Quoted cells are understood, which is all that RFC 4180 adds. */
export function csvRows(text: string): Record<string, string>[] {
  const rows: string[][] = [];
  let row: string[] = [];
  const CELL = /(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n)/y;
  while (CELL.lastIndex < text.length) {
    const at = CELL.lastIndex;
    const match = CELL.exec(text);
    if (match === null) throw new Error(`Not CSV from ${JSON.stringify(text.slice(at, at + 60))}.`);
    row.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    if (match[3] === '\n') {
      rows.push(row);
      row = [];
    }
  }
  const [header = [], ...body] = rows;
  return body.map((cells) => Object.fromEntries(header.map((name, i) => [name, cells[i] ?? ''])));
}

/** Rows of JSON as a CSV prints them: what is not known is empty. */
export function asPrinted(rows: readonly Readonly<Record<string, unknown>>[]): Record<string, string>[] {
  return rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, String(value ?? '')])));
}

import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { until } from '../support/product.ts';
import { interpolated, pathOf, readCompose } from './compose.ts';

const CLI = fileURLToPath(new URL('../../services/cli/ctwa-ledger.js', import.meta.url));

/** What the variables of `.env` are in tests. */
export const FILLED_IN = {
  META_APP_SECRET: 'the app secret',
  META_VERIFY_TOKEN: 'the verify token',
  CLICKHOUSE_PASSWORD: 'the password of the services',
  CLICKHOUSE_READ_PASSWORD: 'the password of the reader',
} as const;

/** Where a process of this machine differs from a container. */
export interface Place {
  readonly cwd: string;
  /** Stands for `http://clickhouse:8123`. */
  readonly clickhouse: string;
  /** Stands for `kafka:9092`; empty for services that need none. */
  readonly kafka: string;
  /** Texts in the arguments that stand for others: directories, for instance. */
  readonly paths?: Readonly<Record<string, string>>;
  /** More variables of `.env`. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A service of docker-compose.yml as a process: its command and its environment, with hosts, ports and paths of here. */
export class RunningService {
  readonly #child: ChildProcess;
  readonly #healthcheck: readonly string[];
  readonly #port: string;
  #stdout = '';
  #stderr = '';
  readonly ended: Promise<Ended>;

  constructor(name: string, place: Place) {
    const service = readCompose().services[name];
    if (service?.command === undefined) throw new Error(`There is no service ${name} with a command of ours.`);
    const variables = { ...FILLED_IN, ...place.env };
    const { paths = {} } = place;
    const args = service.command.map((text) => {
      const argument = interpolated(text, variables);
      return paths[argument] ?? argument;
    });
    this.#port = args[args.indexOf('--port') + 1] ?? '';
    this.#healthcheck = service.healthcheck?.test.slice(1) ?? [];
    for (const [option, value] of [
      ['--host', '127.0.0.1'],
      ['--port', '0'],
    ] as const)
      if (args.includes(option)) args[args.indexOf(option) + 1] = value;
    const env = Object.fromEntries(
      Object.entries(service.environment).map(([variable, value]) => [
        variable,
        interpolated(String(value), variables)
          .replace('http://clickhouse:8123', place.clickhouse)
          .replace('kafka:9092', place.kafka)
          .replace('/etc/ctwa-ledger/', pathOf('deploy/config/')),
      ]),
    );
    // Nothing of this shell's but what starts a program: a container has nothing else either.
    this.#child = spawn(process.execPath, [CLI, ...args], {
      cwd: place.cwd,
      env: { PATH: process.env['PATH'], NODE_ENV: 'production', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#stdout += text));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
    this.ended = new Promise((resolve) =>
      this.#child.once('close', (code) => {
        resolve({ code, stdout: this.#stdout, stderr: this.#stderr });
      }),
    );
  }

  get log(): string {
    return this.#stderr;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Where it listens, once it says so. */
  url(): Promise<string> {
    return until('the service says that it runs', () => {
      if (!this.isRunning) throw new Error(`It ended before it ran: ${this.#stderr}`);
      return /^ctwa-ledger (?:is running|answers at): (http:\S+)$/m.exec(this.#stdout)?.[1] ?? null;
    });
  }

  /** Waits until it has logged something. */
  async says(words: string): Promise<void> {
    await until(`it says "${words}"`, () => {
      if (!this.isRunning) throw new Error(`It ended: ${this.#stderr}`);
      return this.#stderr.includes(words);
    });
  }

  async get(path: string): Promise<{ readonly status: number; readonly text: string }> {
    const response = await fetch(`${await this.url()}${path}`);
    return { status: response.status, text: await response.text() };
  }

  /** Runs the check of the compose file, at the port that was really given. */
  async isHealthy(): Promise<boolean> {
    const url = await this.url();
    const [program, ...args] = this.#healthcheck.map((text) => text.replace(`http://127.0.0.1:${this.#port}`, url));
    const check = spawn(program === 'node' ? process.execPath : (program ?? ''), args, { stdio: 'ignore' });
    return new Promise((resolve) =>
      check.once('close', (code) => {
        resolve(code === 0);
      }),
    );
  }

  async untilHealthy(): Promise<void> {
    await until('the service is healthy', () => this.isHealthy());
  }

  /** As `docker compose stop`. */
  stop(): Promise<Ended> {
    this.#child.kill('SIGTERM');
    return this.ended;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }
}

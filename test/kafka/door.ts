import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { findEngine, type Engine } from '../../services/clickhouse/engine/find.ts';
import type { Env } from '../support/product.ts';
import { Gate } from '../support/ledger.ts';

/** What happens to one statement: it is held before it is done, or done and its answer lost. */
interface Snare {
  readonly text: string;
  readonly gate: Gate | null;
  readonly sprung: () => void;
}

/**
 * Stands as a ClickHouse server before the engine of a data directory: can be shut and opened again on the same port,
 * hold a statement and lose an answer.
 */
export class Door {
  readonly #dataDir: string;
  #engine: Engine | null = null;
  #server: Server | null = null;
  #port = 0;
  #snares: Snare[] = [];

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
  }

  async open(): Promise<void> {
    this.#engine = await findEngine(this.#dataDir);
    const server = createServer((incoming, answer) => {
      this.#pass(incoming, answer).catch(() => answer.destroy());
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Cuts every connection and refuses new ones. */
  async shut(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    const closed = new Promise<void>((resolve) => {
      server.close(() => {
        resolve();
      });
    });
    server.closeAllConnections();
    await closed;
  }

  get env(): Env {
    return {
      CLICKHOUSE_URL: `http://127.0.0.1:${this.#port}`,
      CLICKHOUSE_USER: 'default',
      // Anything: the engine behind the door may be another one tomorrow, with another key.
      CLICKHOUSE_PASSWORD: 'of the door',
    };
  }

  /** Holds the next statement with this text at a gate, before it is done. */
  hold(text: string): Gate {
    const gate = new Gate();
    this.#snares.push({ text, gate, sprung: () => undefined });
    return gate;
  }

  /** Lets the next statement with this text be done and its answer be lost; resolves when that has happened. */
  loseAnswerOf(text: string): Promise<void> {
    return new Promise((resolve) => this.#snares.push({ text, gate: null, sprung: resolve }));
  }

  async #pass(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const url = new URL(incoming.url ?? '/', 'http://localhost');
    const sql = url.searchParams.get('query') ?? body.toString('utf8');
    const snare = this.#snares.find(({ text }) => sql.includes(text));
    if (snare !== undefined) {
      this.#snares = this.#snares.filter((other) => other !== snare);
      await snare.gate?.pass();
    }
    const engine = this.#engine;
    if (engine === null) return;
    const passed = request(
      `${engine.url}${url.pathname}${url.search}`,
      {
        method: incoming.method,
        headers: {
          ...incoming.headers,
          host: new URL(engine.url).host,
          authorization: `Basic ${Buffer.from(`default:${engine.key}`).toString('base64')}`,
        },
      },
      (response) => {
        if (snare?.gate === null) {
          response.resume();
          response.once('end', () => {
            answer.destroy();
            snare.sprung();
          });
          return;
        }
        answer.writeHead(response.statusCode ?? 502, response.headers);
        response.pipe(answer);
      },
    );
    passed.on('error', () => answer.destroy());
    // Whoever asked may be gone; what it has sent is done all the same, as a server would.
    passed.end(body);
  }
}

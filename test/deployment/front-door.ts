import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Engine } from '../../services/clickhouse/engine/find.ts';

/** One statement as it came. */
export interface Statement {
  readonly user: string;
  /** The setting `readonly` that it carried; null when it carried none. */
  readonly readonly: string | null;
  readonly sql: string;
}

/**
 * Stands in front of an engine host, which knows no users, as the ClickHouse server of docker-compose.yml with its two:
 * checks who asks, keeps the reader from anything but reading, and remembers every statement.
 */
export class FrontDoor {
  readonly statements: Statement[] = [];
  readonly #engine: Engine;
  readonly #passwords: ReadonlyMap<string, string>;
  readonly #reader: string;
  readonly #server: Server;

  constructor(engine: Engine, passwords: Readonly<Record<string, string>>, reader: string) {
    this.#engine = engine;
    this.#passwords = new Map(Object.entries(passwords));
    this.#reader = reader;
    this.#server = createServer((incoming, answer) => {
      this.#pass(incoming, answer).catch(() => answer.destroy());
    });
  }

  async open(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What one user has asked. */
  by(user: string): Statement[] {
    return this.statements.filter((statement) => statement.user === user);
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #pass(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const [, basic = ''] = /^Basic (.+)$/.exec(incoming.headers.authorization ?? '') ?? [];
    const [user = '', ...password] = Buffer.from(basic, 'base64').toString('utf8').split(':');
    if (this.#passwords.get(user) !== password.join(':')) {
      answer.writeHead(403, { 'x-clickhouse-exception-code': '516' });
      answer.end('Code: 516. DB::Exception: Authentication failed. (AUTHENTICATION_FAILED)');
      return;
    }
    const url = new URL(incoming.url ?? '/', this.url);
    if (url.pathname !== '/ping')
      this.statements.push({
        user,
        readonly: url.searchParams.get('readonly'),
        sql: url.searchParams.get('query') ?? body.toString('utf8'),
      });
    // As the profile of the reader does.
    if (user === this.#reader) url.searchParams.set('readonly', '2');
    const passed = request(
      `${this.#engine.url}${url.pathname}${url.search}`,
      {
        method: incoming.method,
        headers: {
          ...incoming.headers,
          host: new URL(this.#engine.url).host,
          authorization: `Basic ${Buffer.from(`default:${this.#engine.key}`).toString('base64')}`,
        },
      },
      (response) => {
        answer.writeHead(response.statusCode ?? 502, response.headers);
        response.pipe(answer);
      },
    );
    passed.on('error', () => answer.destroy());
    answer.on('close', () => passed.destroy());
    passed.end(body);
  }
}

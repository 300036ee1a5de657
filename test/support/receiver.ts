import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as it came. */
export interface Received {
  readonly key: string;
  readonly timestamp: string;
  readonly signature: string;
  readonly body: string;
}

/** What a receiver answers: a status, or nothing at all. */
export type Answering = number | 'silent';

/** Somebody who is told of triggers, on this machine. */
export class Receiver {
  readonly received: Received[] = [];
  answering: Answering = 200;
  readonly #server: Server;
  readonly #silent: ServerResponse[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<Receiver> {
    const server = createServer();
    const receiver = new Receiver(server);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const header = (name: string): string => String(request.headers[name] ?? '');
        receiver.received.push({
          key: header('idempotency-key'),
          timestamp: header('x-ctwa-timestamp'),
          signature: header('x-ctwa-signature-256'),
          body: Buffer.concat(chunks).toString('utf8'),
        });
        if (receiver.answering === 'silent') receiver.#silent.push(response);
        else response.writeHead(receiver.answering).end();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  /** Requests about a message. */
  about(message_id: string): Received[] {
    return this.received.filter(({ key }) => key.startsWith(`${message_id}:`));
  }

  async close(): Promise<void> {
    for (const response of this.#silent) response.destroy();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** What the header of a request must say. */
export function expectedSignature(secret: string, { timestamp, body }: Received): string {
  return `sha256=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;
}

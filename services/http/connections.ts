import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Far more than browsers and Meta need. Each connection costs a file handle and some memory. */
export const MAX_CONNECTIONS = 512;

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** Whether the server is still working on an answer, so that it is not waiting for the client. */
function isAnswering(exchange: Exchange | null): boolean {
  return exchange !== null && exchange.request.complete && !exchange.response.writableEnded;
}

/**
 * Limits the connections of a server. When there is one too many, the connection on which the server has waited longest
 * is ended, whether for a request, for the rest of one, or for the client to take an answer. So idle connections never
 * keep a new one out. If all connections wait for the server, the new one is ended.
 */
export function boundConnections(server: Server, max: number): void {
  /** The last request of each connection, least recently used first. */
  const connections = new Map<Socket, Exchange | null>();
  server.on('connection', (socket: Socket) => {
    connections.set(socket, null);
    socket.once('close', () => connections.delete(socket));
    if (connections.size <= max) return;
    for (const [other, exchange] of connections)
      if (!isAnswering(exchange)) {
        // The new connection is the last of them.
        other.destroy();
        return;
      }
  });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    connections.delete(request.socket);
    connections.set(request.socket, { request, response });
  });
}

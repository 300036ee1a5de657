import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Browsers and Meta together need far fewer; each costs a file handle and some memory. */
export const MAX_CONNECTIONS = 512;

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** Whether the server itself still works on an answer: then the connection does not wait for its client. */
function isAnswering(exchange: Exchange | null): boolean {
  return exchange !== null && exchange.request.complete && !exchange.response.writableEnded;
}

/**
 * Bounds the connections of a server. One more than there may be ends the one that has kept the server waiting longest (for
 * a request, the rest of one, or for somebody to take an answer), so that connections which only stand open never keep a
 * new one out. Where all of them wait for the server, the new one is ended.
 */
export function boundConnections(server: Server, max: number): void {
  /** What each connection asked last, the least recently used first. */
  const connections = new Map<Socket, Exchange | null>();
  server.on('connection', (socket: Socket) => {
    connections.set(socket, null);
    socket.once('close', () => connections.delete(socket));
    if (connections.size <= max) return;
    for (const [other, exchange] of connections)
      if (!isAnswering(exchange)) {
        // The new one is the last of them.
        other.destroy();
        return;
      }
  });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    connections.delete(request.socket);
    connections.set(request.socket, { request, response });
  });
}

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { Database } from '../../services/clickhouse/database.ts';

it('tells a server for every statement which function it comes from', async () => {
  const comments: (string | null)[] = [];
  const server = createServer((request, response) => {
    comments.push(new URL(request.url ?? '/', 'http://server').searchParams.get('log_comment'));
    request.resume();
    response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const location = { kind: 'server', url: `http://127.0.0.1:${port}`, username: 'u', password: 'p', ca: null } as const;
  const database = new Database(location, 'ledger');
  async function asksForRows(): Promise<void> {
    await database.query(z.object({}), 'SELECT 1');
  }
  async function asksForMany(): Promise<void> {
    for await (const _ of database.stream('SELECT 1'));
  }
  async function commands(): Promise<void> {
    await database.command('OPTIMIZE TABLE events');
  }
  async function inserts(): Promise<void> {
    await database.insertLines('events', ['id'], '["1"]\n');
  }
  try {
    for (const ask of [asksForRows, asksForMany, commands, inserts]) await ask();
    const file = 'unit/log-comment.test.ts';
    expect(comments).toEqual(['asksForRows', 'asksForMany', 'commands', 'inserts'].map((name) => `${file} ${name}`));
  } finally {
    await database.close();
    server.close();
    server.closeAllConnections();
  }
});

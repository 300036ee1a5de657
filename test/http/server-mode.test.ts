import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findEngine, type Engine } from '../../services/clickhouse/engine/find.ts';
import { randomTraffic } from '../oracle/arbitraries.ts';
import { withoutTimes } from '../support/ledger.ts';

const CLI = fileURLToPath(new URL('../../services/cli/ctwa-ledger.js', import.meta.url));
let home: string;
let engine: Engine;

/** The command line with a server's address in the environment: the engine host is a ClickHouse server to it. */
async function run(
  args: string[],
  env: Record<string, string>,
): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [CLI, ...args], { cwd: home, env: { ...process.env, ...env } });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, out, err };
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'ctwa-server-'));
  process.env['CTWA_ENGINE_IDLE_SECONDS'] = '60';
  engine = await findEngine(join(home, 'server'));
});

afterAll(() => {
  process.kill(engine.pid, 'SIGKILL');
  rmSync(home, { recursive: true, force: true });
});

it('gives the same reports from a server as from the embedded engine', async () => {
  const file = join(home, 'traffic.ndjson');
  writeFileSync(
    file,
    randomTraffic(11, 3_000)
      .map((event) => `${JSON.stringify(event)}\n`)
      .join(''),
  );
  const server = {
    CLICKHOUSE_URL: engine.url,
    CLICKHOUSE_USER: 'default',
    CLICKHOUSE_PASSWORD: engine.key,
    CLICKHOUSE_DATABASE: 'elsewhere',
  };
  const embedded = join(home, 'embedded');
  expect(await run(['ingest', file], server)).toMatchObject({ code: 0 });
  expect(await run(['ingest', file, '--data', embedded], {})).toMatchObject({ code: 0 });
  for (const report of ['messages', 'conversations', 'daily', 'ads']) {
    const fromServer = await run(['export', report], server);
    const fromEmbedded = await run(['export', report, '--data', embedded], {});
    expect(fromServer.code, fromServer.err).toBe(0);
    expect(fromServer.out.split('\n').length).toBeGreaterThan(10);
    expect(withoutTimes(fromServer.out)).toBe(withoutTimes(fromEmbedded.out));
  }
  process.kill((JSON.parse(readFileSync(join(embedded, 'engine.json'), 'utf8')) as { pid: number }).pid, 'SIGKILL');
});

it.each([
  ['a wrong password', { CLICKHOUSE_PASSWORD: 'wrong' }, 'CLICKHOUSE_PASSWORD'],
  ['nobody listening', { CLICKHOUSE_URL: 'http://127.0.0.1:9' }, 'cannot be reached'],
  ['an address that is none', { CLICKHOUSE_URL: 'clickhouse:8123' }, 'not an http(s) address'],
])('says what is wrong with %s', async (_, env, words) => {
  const { code, err } = await run(['export', 'ads'], { CLICKHOUSE_URL: engine.url, ...env });
  expect(code).not.toBe(0);
  expect(err).toContain(words);
  expect(err.trim().split('\n').length).toBe(1);
});

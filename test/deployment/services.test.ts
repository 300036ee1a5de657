import { createHmac } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { finishedDays } from '../../services/exports/days.ts';
import { findEngine, type Engine } from '../../services/ledger/engine/find.ts';
import { csvRows, deliveredStatus, envelope, statuses, until } from '../support/product.ts';
import { readCompose } from './compose.ts';
import { FrontDoor } from './front-door.ts';
import { FILLED_IN, RunningService, type Place } from './service.ts';

const { CLICKHOUSE_USER: OWN, CLICKHOUSE_READ_USER: READER } = readCompose().services['dashboard']!
  .environment as Record<string, string>;
const PASSWORDS = { [OWN!]: FILLED_IN.CLICKHOUSE_PASSWORD, [READER!]: FILLED_IN.CLICKHOUSE_READ_PASSWORD };
/** Tables that only what is shown and handed out is read from. */
const SHOWN = /\b(message_marks|entry_marks|summary_cells|dead_letters|system\.parts)\b/;
const NOW = Math.floor(Date.now() / 1000);
/** In the middle of a day that is over. */
const YESTERDAY = finishedDays('UTC', 1, NOW)[0]!;
const AT = Date.parse(`${YESTERDAY}T12:00:00Z`) / 1000;

let home: string;
let engine: Engine;
const doors: FrontDoor[] = [];
const running: RunningService[] = [];

/** A way to the engine of its own for each service, so that it shows who asked what. */
async function door(): Promise<FrontDoor> {
  const opened = new FrontDoor(engine, PASSWORDS, READER!);
  await opened.open();
  doors.push(opened);
  return opened;
}

function begin(name: string, place: Partial<Place> & Pick<Place, 'clickhouse'>): RunningService {
  const service = new RunningService(name, {
    cwd: home,
    kafka: '',
    paths: { '/exports': join(home, 'out') },
    ...place,
  });
  running.push(service);
  return service;
}

async function deliver(webhook: RunningService, ...ids: string[]): Promise<number> {
  const body = envelope(statuses(ids.map((id, i) => deliveredStatus(id, AT + i))));
  const signature = createHmac('sha256', FILLED_IN.META_APP_SECRET).update(body).digest('hex');
  const response = await fetch(`${await webhook.url()}/webhook`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-hub-signature-256': `sha256=${signature}` },
    body,
  });
  await response.arrayBuffer();
  return response.status;
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'ctwa-deployment-'));
  process.env['CTWA_ENGINE_IDLE_SECONDS'] = '60';
  engine = await findEngine(join(home, 'engine'));
});

afterAll(async () => {
  for (const service of running) if (service.isRunning) await service.kill();
  for (const opened of doors) opened.close();
  process.kill(engine.pid, 'SIGKILL');
  rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
});

describe('the services of docker-compose.yml, as processes', () => {
  let exporter: RunningService;
  let exporterDoor: FrontDoor;

  it('wait for the ledger and say so, instead of ending', async () => {
    exporterDoor = await door();
    exporter = begin('exporter', { clickhouse: exporterDoor.url });
    const dashboard = begin('dashboard', { clickhouse: (await door()).url });
    for (const service of [exporter, dashboard]) {
      await service.says('does not exist yet');
      expect(await service.get('/healthz')).toMatchObject({ status: 200 });
      const { status, text } = await service.get('/readyz');
      expect(status).toBe(503);
      expect(text).toContain('"ctwa_ledger" does not exist yet');
      expect(await service.isHealthy()).toBe(false);
      expect(service.log.trim().split('\n')).toHaveLength(1);
    }
    for (const path of ['/', '/api/ads']) expect(await dashboard.get(path)).toMatchObject({ status: 503 });
    expect((await dashboard.stop()).code).toBe(0);
    // Somebody who only reads has made nothing.
    expect(exporterDoor.statements.filter(({ sql }) => /\b(CREATE|INSERT)\b/.test(sql))).toEqual([]);
  });

  it('take a delivery, show it, and hand it out', async () => {
    const webhook = begin('webhook', { clickhouse: (await door()).url });
    await webhook.untilHealthy();
    expect(await deliver(webhook, 'wamid.1', 'wamid.2')).toBe(200);
    const handshake = `/webhook?hub.mode=subscribe&hub.verify_token=${encodeURIComponent(FILLED_IN.META_VERIFY_TOKEN)}&hub.challenge=42`;
    expect(await webhook.get(handshake)).toMatchObject({ status: 200, text: expect.stringMatching(/^42\s*$/) });

    const dashboardDoor = await door();
    const dashboard = begin('dashboard', { clickhouse: dashboardDoor.url });
    await dashboard.untilHealthy();
    const messages = await dashboard.get('/api/messages?format=csv');
    expect(csvRows(messages.text).map((row) => row['message_id'])).toEqual(['wamid.1', 'wamid.2']);
    await until('the summaries are there', async () =>
      (await dashboard.get('/api/daily')).text.includes('"delivered":2'),
    );
    expect(await dashboard.get('/')).toMatchObject({ status: 200 });
    // It is the webhook that is published: a delivery finds nobody here.
    expect(await deliver(dashboard, 'wamid.3')).not.toBe(200);
    expect((await dashboard.get('/api/messages?format=csv')).text).not.toContain('wamid.3');

    // What people look at is read as the reader, with nothing but reading asked for.
    const shown = dashboardDoor.by(READER!);
    expect(shown.filter(({ sql }) => SHOWN.test(sql)).length).toBeGreaterThan(3);
    expect([...new Set(shown.map((statement) => statement.readonly))]).toEqual(['2']);
    expect(dashboardDoor.by(OWN!).filter(({ sql }) => SHOWN.test(sql))).toEqual([]);
    // What changes something goes as the services themselves: the sample data went with the first real event.
    expect(dashboardDoor.by(OWN!).some(({ sql }) => sql.includes('DROP DATABASE IF EXISTS ctwa_ledger_sample'))).toBe(
      true,
    );

    const file = join(home, 'out', 'messages', `messages-${YESTERDAY}.csv`);
    // The exporter has waited all the time; its first run may have been before the delivery.
    await exporter.untilHealthy();
    await until('the exporter has run', () => existsSync(file));
    if (!readFileSync(file, 'utf8').includes('wamid.1')) {
      expect((await exporter.stop()).code).toBe(0);
      exporter = begin('exporter', { clickhouse: exporterDoor.url });
      await until('the exporter has run again', () => readFileSync(file, 'utf8').includes('wamid.2'));
    }
    await until('the run has ended', async () =>
      /ctwa_export_last_success_timestamp_seconds [1-9]/.test((await exporter.get('/metrics')).text),
    );
    expect(csvRows(readFileSync(file, 'utf8')).map((row) => row['message_id'])).toEqual(['wamid.1', 'wamid.2']);
    const daily = readFileSync(join(home, 'out', 'daily', `daily-${YESTERDAY}.csv`), 'utf8');
    expect(csvRows(daily)).toMatchObject([{ day: YESTERDAY, delivered: '2' }]);
    const handedOut = exporterDoor.by(READER!);
    expect(handedOut.some(({ sql }) => sql.includes('message_marks'))).toBe(true);
    expect([...new Set(handedOut.map((statement) => statement.readonly))]).toEqual(['2']);
    // Summing up what is dirty is the services' own work; nothing that is handed out is read that way.
    for (const { sql } of exporterDoor.by(OWN!).filter(({ sql }) => SHOWN.test(sql)))
      expect(sql).toContain('INSERT INTO summary_cells');

    for (const service of [webhook, dashboard, exporter]) expect(await service.stop()).toMatchObject({ code: 0 });
  });

  it('say whose password is wrong', async () => {
    const { url } = await door();
    for (const variable of ['CLICKHOUSE_PASSWORD', 'CLICKHOUSE_READ_PASSWORD']) {
      const exporting = begin('exporter', { clickhouse: url, env: { [variable]: 'wrong' } });
      await until('it says so', async () => {
        const { status, text } = await exporting.get('/readyz');
        return status === 503 && text.includes(`and ${variable}.`);
      });
      expect(await exporting.stop()).toMatchObject({ code: 0 });
    }
  });
});

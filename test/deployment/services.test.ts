import { createHmac } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseEvent } from '@ctwa-ledger/schemas/event.ts';
import { finishedDays } from '../../services/exports/days.ts';
import { findEngine, type Engine } from '../../services/clickhouse/engine/find.ts';
import { Ledger } from '../../services/ledger/ledger.ts';
import { describeKafka } from '../support/kafka.ts';
import { csvRows, deliveredStatus, envelope, NUMBER, statuses, until } from '../support/product.ts';
import { readCompose } from './compose.ts';
import { FrontDoor } from './front-door.ts';
import { FILLED_IN, RunningService, type Place } from './service.ts';

const {
  CLICKHOUSE_USER: OWN = '',
  CLICKHOUSE_READ_USER: READER = '',
  CLICKHOUSE_DATABASE: DATABASE = '',
} = readCompose().services['dashboard']!.environment as Record<string, string>;
const PASSWORDS = { [OWN]: FILLED_IN.CLICKHOUSE_PASSWORD, [READER]: FILLED_IN.CLICKHOUSE_READ_PASSWORD };
/** Tables that what is shown and handed out is read from. */
const SHOWN = /\b(message_marks|entry_marks|summary_cells|dead_letters|system\.parts)\b/;
/**
 * Summing up what is dirty is the services' own work, for which they look whether accounts or cards were written since;
 * nothing that is shown or handed out is read that way.
 */
const SETTLED = /INSERT INTO (summary_cells|counted_hours|charge_hours|charge_days|priced_days)\b|hash_of_all_files/;
const NOW = Math.floor(Date.now() / 1000);
/** In the middle of a day that is over. */
const YESTERDAY = finishedDays('UTC', 1, NOW)[0]!;
const AT = Date.parse(`${YESTERDAY}T12:00:00Z`) / 1000;

/** An engine with services around it. */
class Deployment {
  readonly home = mkdtempSync(join(tmpdir(), 'ctwa-deployment-'));
  readonly #doors: FrontDoor[] = [];
  readonly #services: RunningService[] = [];
  #engine: Engine | null = null;
  kafka = '';

  async open(): Promise<void> {
    process.env['CTWA_ENGINE_IDLE_SECONDS'] = '60';
    this.#engine = await findEngine(join(this.home, 'engine'));
  }

  async close(): Promise<void> {
    for (const service of this.#services) if (service.isRunning) await service.kill();
    for (const door of this.#doors) door.close();
    if (this.#engine !== null) process.kill(this.#engine.pid, 'SIGKILL');
    rmSync(this.home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }

  /** A way to the engine for one service alone, so that it shows who asked what. */
  async door(): Promise<FrontDoor> {
    const door = new FrontDoor(this.#engine!, PASSWORDS, READER);
    await door.open();
    this.#doors.push(door);
    return door;
  }

  begin(name: string, door: FrontDoor, env: Place['env'] = {}): RunningService {
    const place = { cwd: this.home, clickhouse: door.url, kafka: this.kafka, paths: { '/exports': this.file() }, env };
    const service = new RunningService(name, place);
    this.#services.push(service);
    return service;
  }

  /** In the directory of the exporter's files. */
  file(...names: string[]): string {
    return join(this.home, 'out', ...names);
  }

  /** The ids in the file of messages of yesterday; null when there is none. */
  handedOut(): string[] | null {
    const file = this.file('messages', `messages-${YESTERDAY}.csv`);
    return existsSync(file) ? csvRows(readFileSync(file, 'utf8')).map((row) => row['message_id'] ?? '') : null;
  }
}

async function shownBy(dashboard: RunningService): Promise<string[]> {
  const { text } = await dashboard.get('/api/messages?format=csv');
  return csvRows(text).map((row) => row['message_id'] ?? '');
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

describe('dashboard and exporter of docker-compose.yml, as processes', () => {
  const deployment = new Deployment();
  beforeAll(() => deployment.open());
  afterAll(() => deployment.close());

  it('wait for the ledger and say so, instead of ending', async () => {
    for (const name of ['exporter', 'dashboard']) {
      const door = await deployment.door();
      const service = deployment.begin(name, door);
      await service.says('does not exist yet');
      expect(await service.get('/healthz')).toMatchObject({ status: 200 });
      const { status, text } = await service.get('/readyz');
      expect(status).toBe(503);
      expect(text).toContain(`"${DATABASE}" does not exist yet`);
      expect(await service.isHealthy()).toBe(false);
      expect(service.log.trim().split('\n')).toHaveLength(1);
      for (const path of name === 'dashboard' ? ['/', '/api/ads'] : [])
        expect(await service.get(path)).toEqual({ status: 503, text: text.replace('not ready: ', '') });
      expect(await service.stop()).toMatchObject({ code: 0 });
      // Who only reads has made nothing.
      expect(door.statements.filter(({ sql }) => /\b(CREATE|INSERT)\b/.test(sql))).toEqual([]);
    }
  });

  it('read as the reader, and change what they must as the services', async () => {
    const [dashboardDoor, exporterDoor] = [await deployment.door(), await deployment.door()];
    const dashboard = deployment.begin('dashboard', dashboardDoor);
    await dashboard.says('does not exist yet');
    const ledger = await Ledger.open({
      location: {
        kind: 'server',
        url: (await deployment.door()).url,
        username: OWN,
        password: FILLED_IN.CLICKHOUSE_PASSWORD,
        ca: null,
      },
      database: DATABASE,
      config: null,
      command: 'a test',
    });
    const event = { event: 'status', phone_number_id: NUMBER, wa_id: '16505551234', status: 'delivered' };
    const parsed = parseEvent({ ...event, id: 'wamid.1', timestamp: String(AT) }, NOW);
    if (!parsed.ok) throw new Error(parsed.rejection.message);
    await ledger.record([parsed.event]);
    await ledger.close();

    // It has waited all the time.
    await dashboard.untilHealthy();
    expect(await shownBy(dashboard)).toEqual(['wamid.1']);
    expect(await dashboard.get('/')).toMatchObject({ status: 200 });
    expect(await dashboard.get('/api/ads')).toMatchObject({ status: 200, text: expect.stringContaining('"rows"') });
    // A delivery finds nobody here.
    expect(await deliver(dashboard, 'wamid.2')).not.toBe(200);
    expect(await shownBy(dashboard)).toEqual(['wamid.1']);
    const shown = dashboardDoor.by(READER);
    expect(shown.filter(({ sql }) => SHOWN.test(sql)).length).toBeGreaterThan(3);
    expect([...new Set(shown.map((statement) => statement.readonly))]).toEqual(['2']);
    for (const { sql } of dashboardDoor.by(OWN).filter(({ sql }) => SHOWN.test(sql))) expect(sql).toMatch(SETTLED);
    const drop = `DROP DATABASE IF EXISTS ${DATABASE}_sample`;
    expect(dashboardDoor.by(OWN).some(({ sql }) => sql.includes(drop))).toBe(true);

    const exporter = deployment.begin('exporter', exporterDoor);
    await exporter.says('"Exported"');
    expect(await exporter.isHealthy()).toBe(true);
    expect(deployment.handedOut()).toEqual(['wamid.1']);
    const daily = readFileSync(deployment.file('daily', `daily-${YESTERDAY}.csv`), 'utf8');
    expect(csvRows(daily)).toMatchObject([{ day: YESTERDAY, delivered: '1' }]);
    const handedOut = exporterDoor.by(READER);
    expect(handedOut.filter(({ sql }) => SHOWN.test(sql)).length).toBeGreaterThan(3);
    expect([...new Set(handedOut.map((statement) => statement.readonly))]).toEqual(['2']);
    for (const { sql } of exporterDoor.by(OWN).filter(({ sql }) => SHOWN.test(sql))) expect(sql).toMatch(SETTLED);
    for (const service of [dashboard, exporter]) expect(await service.stop()).toMatchObject({ code: 0 });
  });

  it('say whose password is wrong', async () => {
    for (const variable of ['CLICKHOUSE_PASSWORD', 'CLICKHOUSE_READ_PASSWORD']) {
      const exporter = deployment.begin('exporter', await deployment.door(), { [variable]: 'wrong' });
      await exporter.says(`and ${variable}.`);
      const { status, text } = await exporter.get('/readyz');
      expect(status).toBe(503);
      expect(text).toContain(`and ${variable}.`);
      expect(await exporter.stop()).toMatchObject({ code: 0 });
    }
  });
});

describeKafka('all services of docker-compose.yml, as processes', { own: true }, (kafka) => {
  const deployment = new Deployment();
  beforeAll(async () => {
    await deployment.open();
    deployment.kafka = kafka.brokers;
  });
  afterAll(() => deployment.close());

  it('take a delivery, mark it, show it, and hand it out', async () => {
    const door = await deployment.door();
    // Twice, as a second `up` does.
    for (const created of [true, false]) {
      const { code, stdout, stderr } = await deployment.begin('topics', door, { KAFKA_PARTITIONS: '3' }).ended;
      expect(code, stderr).toBe(0);
      const lines = stdout.trim().split('\n');
      expect(lines.length).toBeGreaterThan(1);
      for (const line of lines) expect(JSON.parse(line)).toMatchObject({ created });
    }
    const webhook = deployment.begin('webhook', door);
    await webhook.untilHealthy();
    const token = encodeURIComponent(FILLED_IN.META_VERIFY_TOKEN);
    const handshake = `/webhook?hub.mode=subscribe&hub.verify_token=${token}&hub.challenge=42`;
    expect(await webhook.get(handshake)).toMatchObject({ status: 200, text: expect.stringMatching(/^42\s*$/) });
    expect(await deliver(webhook, 'wamid.1', 'wamid.2')).toBe(200);
    // It knows no ledger.
    expect(door.statements).toEqual([]);

    const consumers = [deployment.begin('consumer', door), deployment.begin('consumer', door)];
    const dashboardDoor = await deployment.door();
    const dashboard = deployment.begin('dashboard', dashboardDoor);
    for (const service of [...consumers, dashboard]) await service.untilHealthy();
    await until('the delivery is shown', async () => (await shownBy(dashboard)).length === 2);
    expect(await shownBy(dashboard)).toEqual(['wamid.1', 'wamid.2']);
    // Marks can be seen before the batch that wrote them is counted.
    const stored = await until('the delivery is counted', async () => {
      const answers = await Promise.all(consumers.map((consumer) => consumer.get('/metrics')));
      const counts = answers.map(({ text }) => /ctwa_events_total\{outcome="stored"\} (\d+)/.exec(text)?.[1] ?? 0);
      const sum = counts.reduce((total: number, count) => total + Number(count), 0);
      return sum > 0 && sum;
    });
    expect(stored).toBe(2);
    expect([...new Set(door.statements.map(({ user }) => user))]).toEqual([OWN]);
    expect([...new Set(dashboardDoor.by(READER).map((statement) => statement.readonly))]).toEqual(['2']);

    const exporter = deployment.begin('exporter', await deployment.door());
    await exporter.says('"Exported"');
    expect(deployment.handedOut()).toEqual(['wamid.1', 'wamid.2']);
    for (const service of [webhook, ...consumers, dashboard, exporter]) {
      const { code, stderr } = await service.stop();
      expect(code, stderr).toBe(0);
    }
  });
});

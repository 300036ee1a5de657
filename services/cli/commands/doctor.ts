import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { Database, type Location } from '../../clickhouse/database.ts';
import { ActionableError } from '../../clickhouse/errors.ts';
import { Ledger } from '../../ledger/ledger.ts';
import { countDeadLetters } from '../../ledger/events/dead-letters.ts';
import { extentOf } from '../../ledger/events/extent.ts';
import { pino } from 'pino';
import { brokerError, connectKafka } from '../../kafka/connection.ts';
import {
  checkSources,
  compactionWarning,
  missingTopics,
  topicNames,
  topicSettings,
  type TopicSettings,
} from '../../kafka/topics.ts';
import { kafkaSettings } from '../kafka-settings.ts';
import { VERSION } from '../../version.ts';
import { databaseName, locationOf, readConfig, webhookSecrets, type CommonOptions } from '../settings.ts';

const LOW_DISK_BYTES = 5 * 1024 ** 3;

type Check = () => Promise<string> | string;

/** A check that finds something wrong throws an `ActionableError` that says what to do. */
async function report(name: string, check: Check): Promise<boolean> {
  try {
    process.stdout.write(`ok    ${name}: ${await check()}\n`);
    return true;
  } catch (error) {
    process.stdout.write(`WRONG ${name}: ${error instanceof Error ? error.message : String(error)}\n`);
    return false;
  }
}

function existing(path: string): string {
  try {
    statfsSync(path);
    return path;
  } catch {
    return existing(dirname(path));
  }
}

async function kafkaState(): Promise<string> {
  const settings = kafkaSettings();
  if (settings === null) return 'not configured; set KAFKA_BROKERS to consume';
  const names = topicNames(settings.topicPrefix);
  const admin = connectKafka(settings, pino({ level: 'silent' })).admin();
  try {
    await admin.connect();
    const partitions = await checkSources(admin, names);
    const absent = await missingTopics(admin, Object.values(names));
    // The topic of triggers is created with the first trigger.
    const missing = absent.filter((topic) => topic !== names.adTrigger);
    const present = Object.values(names).filter((topic) => !absent.includes(topic));
    // A user without the right to read the settings of topics can still do everything else.
    const configured = [...(await topicSettings(admin, present).catch(() => new Map<string, TopicSettings>()))];
    const compacted = configured.filter(
      ([topic, { is_compacted }]) => is_compacted && (topic === names.messages || topic === names.statuses),
    );
    if (compacted.length > 0) throw new ActionableError(compacted.map(([topic]) => compactionWarning(topic)).join(' '));
    const taken = configured.map(([topic, { max_record_bytes }]) => `${topic} ${max_record_bytes}`).join(', ');
    const later = missing.length === 0 ? '' : `; ${missing.join(', ')} will be created by the first consumer`;
    return `${settings.brokers.join(', ')}, sources with ${partitions} partitions${later}; bytes that topics take at once: ${taken || 'not for this user to know'}`;
  } catch (error) {
    throw brokerError(error, settings);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

function configurationState(options: CommonOptions): string {
  const config = readConfig(options);
  return config === null ? 'no file; defaults and what the ledger holds' : `${config.accounts?.length ?? 0} accounts`;
}

function diskState(dataDir: string): string {
  const { bavail, bsize } = statfsSync(existing(dataDir));
  const free = bavail * bsize;
  const said = `${(free / 1024 ** 3).toFixed(1)} GiB free at ${dataDir}`;
  if (free < LOW_DISK_BYTES) throw new ActionableError(`only ${said}; free some, or move the data directory.`);
  return said;
}

async function clickHouseState(location: Location): Promise<string> {
  const home = new Database(location, 'default');
  try {
    const [row] = await home.query(
      z.object({ version: z.string(), zone: z.string() }),
      'SELECT version() AS version, timezone() AS zone',
    );
    const where = location.kind === 'embedded' ? `embedded in ${location.dataDir}` : location.url;
    return `${row?.version ?? ''} ${where}, zone ${row?.zone ?? ''}`;
  } finally {
    await home.close();
  }
}

async function ledgerState(location: Location): Promise<string> {
  const database = databaseName();
  const ledger = await Ledger.open({ location, database, config: null, command: 'ctwa-ledger doctor' });
  try {
    const { events } = await extentOf(ledger.reading);
    const letters = await countDeadLetters(ledger.database);
    return `${events} event rows, ${letters} dead letters waiting, epoch ${ledger.configuration.epoch}`;
  } finally {
    await ledger.close();
  }
}

function webhookState(): string {
  const { appSecret, verifyToken } = webhookSecrets();
  if (appSecret === null && verifyToken === null)
    return 'not configured; set META_APP_SECRET and META_VERIFY_TOKEN to receive';
  if (appSecret === null)
    throw new ActionableError(
      'META_VERIFY_TOKEN is set but META_APP_SECRET is not: deliveries would be refused. Set it.',
    );
  if (verifyToken === null)
    throw new ActionableError(
      "META_APP_SECRET is set but META_VERIFY_TOKEN is not: Meta's handshake would fail. Set it.",
    );
  return 'app secret and verify token are set';
}

/** Checks what the product needs to work; exit code 1 when something is wrong. */
export async function doctor(options: CommonOptions): Promise<void> {
  const location = locationOf(options);
  const checks: [string, Check][] = [
    ['ctwa-ledger', () => `${VERSION} on Node ${process.version}, ${process.platform} ${process.arch}`],
    ['configuration', () => configurationState(options)],
  ];
  if (location.kind === 'embedded') checks.push(['disk', () => diskState(location.dataDir)]);
  checks.push(
    ['ClickHouse', () => clickHouseState(location)],
    ['ledger', () => ledgerState(location)],
    ['webhook', webhookState],
    ['Kafka', kafkaState],
  );
  let allWell = true;
  for (const [name, check] of checks) allWell = (await report(name, check)) && allWell;
  if (!allWell) process.exitCode = 1;
}

import type { KafkaSettings } from '../kafka/connection.ts';
import { environment, readText, UsageError } from './settings.ts';

const MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;

const ADDRESS = /^(?:\[[0-9a-fA-F:.]+\]|[^\s:,]+):(\d{1,5})$/;
const LAST_PORT = 65_535;

function isAddress(text: string): boolean {
  const port = Number(ADDRESS.exec(text)?.[1] ?? 0);
  return port >= 1 && port <= LAST_PORT;
}

/**
 * The settings of the brokers, from the environment: `KAFKA_BROKERS`, `KAFKA_SSL`, `KAFKA_CA_FILE`,
 * `KAFKA_SASL_MECHANISM`, `KAFKA_USER`, `KAFKA_PASSWORD`, `KAFKA_TOPIC_PREFIX`. Null when no broker is configured.
 * @throws UsageError that names the variable that is wrong
 */
export function kafkaSettings(): KafkaSettings | null {
  const named = environment('KAFKA_BROKERS');
  if (named === null) return null;
  const brokers = named
    .split(',')
    .map((broker) => broker.trim())
    .filter((broker) => broker !== '');
  for (const broker of brokers)
    if (!isAddress(broker))
      throw new UsageError(`KAFKA_BROKERS: "${broker}" is not host:port. Give brokers like kafka-1:9092,kafka-2:9092.`);
  if (brokers.length === 0) throw new UsageError('KAFKA_BROKERS names no broker. Give some like kafka-1:9092.');
  const ssl = environment('KAFKA_SSL') ?? 'false';
  if (ssl !== 'true' && ssl !== 'false') throw new UsageError(`KAFKA_SSL "${ssl}" must be true or false.`);
  const caFile = environment('KAFKA_CA_FILE');
  return {
    brokers,
    tls: ssl === 'true' || caFile !== null ? { ca: caFile === null ? null : readText(caFile, 'KAFKA_CA_FILE') } : null,
    sasl: credentials(),
    topicPrefix: environment('KAFKA_TOPIC_PREFIX') ?? '',
  };
}

function credentials(): KafkaSettings['sasl'] {
  const username = environment('KAFKA_USER');
  const password = environment('KAFKA_PASSWORD');
  const given = environment('KAFKA_SASL_MECHANISM');
  if (username === null && password === null && given === null) return null;
  if (username === null || password === null)
    throw new UsageError('The Kafka credentials are incomplete: set both KAFKA_USER and KAFKA_PASSWORD.');
  const mechanism = MECHANISMS.find((known) => known === (given ?? 'plain').toLowerCase());
  if (mechanism === undefined)
    throw new UsageError(`KAFKA_SASL_MECHANISM "${given ?? ''}" must be one of ${MECHANISMS.join(', ')}.`);
  return { mechanism, username, password };
}

/** The same for commands that need a broker. */
export function requiredKafkaSettings(): KafkaSettings {
  const settings = kafkaSettings();
  if (settings === null)
    throw new UsageError('No broker is configured. Set KAFKA_BROKERS, for example to 127.0.0.1:9092.');
  return settings;
}

export const DEFAULT_GROUP = 'ctwa-ledger';
const DEFAULT_SESSION_MS = 10_000;

/** After how much silence a member's partitions go to others, milliseconds: `KAFKA_SESSION_TIMEOUT_MS`. */
export function sessionTimeoutMs(): number {
  const text = environment('KAFKA_SESSION_TIMEOUT_MS');
  if (text === null) return DEFAULT_SESSION_MS;
  const milliseconds = Number(text);
  if (!/^\d{4,7}$/.test(text) || milliseconds < 1_000)
    throw new UsageError(`KAFKA_SESSION_TIMEOUT_MS "${text}" is not a number of milliseconds from 1000.`);
  return milliseconds;
}

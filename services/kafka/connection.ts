import kafkajs, { Kafka, logLevel, type LogEntry, type SASLOptions } from 'kafkajs';
import type { Logger } from 'pino';
import { LedgerAwayError, LedgerError } from '../ledger/errors.ts';

// Not among the names that Node finds in the package by itself.
const { KafkaJSError, KafkaJSSASLAuthenticationError } = kafkajs;

/** How the brokers are reached. */
export interface KafkaSettings {
  /** `host:port` of some brokers; they name the others. */
  readonly brokers: readonly string[];
  /** Null = no TLS. `ca` is PEM text of a private certificate authority; null trusts the public ones. */
  readonly tls: { readonly ca: string | null } | null;
  readonly sasl: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
    readonly username: string;
    readonly password: string;
  } | null;
  /** Put before the names of all topics, on clusters that several installations share; usually empty. */
  readonly topicPrefix: string;
}

/**
 * What a group says of itself while it forms, while members come and go, and while a broker comes back. All of it mends
 * itself, and kafkajs logs each as an error.
 */
const PASSING = new Set([
  'REBALANCE_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'GROUP_LOAD_IN_PROGRESS',
  'NOT_COORDINATOR_FOR_GROUP',
  'UNKNOWN_MEMBER_ID',
  'ILLEGAL_GENERATION',
  'LEADER_NOT_AVAILABLE',
]);

/** Words of the broker for the same, where kafkajs logs no type. */
const PASSING_WORDS =
  /rebalanc|coordinator is not available|coordinator is loading|not aware of this member|not the correct coordinator|generation id is not valid|no leader/i;

function isPassing(entry: LogEntry['log']): boolean {
  const { type, error } = entry as { type?: unknown; error?: unknown };
  if (typeof type === 'string' && PASSING.has(type)) return true;
  return PASSING_WORDS.test(typeof error === 'string' ? error : entry.message);
}

/** A client whose log lines go into ours. Broker errors that pass by themselves are for debugging only. */
export function connectKafka(settings: KafkaSettings, log: Logger): Kafka {
  return new Kafka({
    clientId: 'ctwa-ledger',
    brokers: [...settings.brokers],
    ...(settings.tls === null ? {} : { ssl: settings.tls.ca === null ? true : { ca: [settings.tls.ca] } }),
    // A copy: the client keeps an authenticator in the object that it is given.
    ...(settings.sasl === null ? {} : { sasl: { ...settings.sasl } as SASLOptions }),
    connectionTimeout: 5_000,
    requestTimeout: 30_000,
    // Short, because whoever calls tries again for as long as it takes and tells what it waits for meanwhile.
    retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 5 },
    logLevel: logLevel.INFO,
    logCreator: () => (entry) => {
      const { message, timestamp: _timestamp, logger: _logger, ...fields } = entry.log;
      const line = { kafka: entry.namespace, ...fields };
      // What the client thinks worth an INFO line, one for each step of joining, is detail here.
      if (entry.level === logLevel.ERROR && !isPassing(entry.log)) log.warn(line, message);
      else log.debug(line, message);
    },
  });
}

function causesOf(error: unknown): Error[] {
  const causes: Error[] = [];
  for (let cause: unknown = error; cause instanceof Error && !causes.includes(cause); cause = cause.cause)
    causes.push(cause);
  return causes;
}

/**
 * A broker's error as one that a person can act on. What trying again cannot mend is a `LedgerError`; what it may is a
 * `LedgerAwayError`; what is no broker's error is returned as it is.
 */
export function brokerError(error: unknown, settings: KafkaSettings): unknown {
  if (error instanceof LedgerError) return error;
  const where = settings.brokers.join(', ');
  const causes = causesOf(error);
  const text = causes.map((cause) => cause.message).join('; ');
  if (causes.some((cause) => cause instanceof KafkaJSSASLAuthenticationError))
    return new LedgerError(
      `Kafka at ${where} refused the credentials (${text}). Check KAFKA_SASL_MECHANISM, KAFKA_USER and KAFKA_PASSWORD.`,
    );
  const codes = causes.map((cause) => (cause as NodeJS.ErrnoException).code ?? '');
  if (/certificate|self.signed|CERT_/i.test(`${text} ${codes.join(' ')}`))
    return new LedgerError(
      `The certificate of Kafka at ${where} is not trusted (${text}). Give its authority with KAFKA_CA_FILE.`,
    );
  if (causes.some((cause) => (cause as { type?: unknown }).type === 'TOPIC_AUTHORIZATION_FAILED'))
    return new LedgerError(
      `Kafka at ${where} does not let this user at its topics (${text}). Grant it to the user of KAFKA_USER.`,
    );
  if (causes.some((cause) => cause instanceof KafkaJSError))
    return new LedgerAwayError(
      `Kafka at ${where} cannot be reached or does not answer (${text}). Check KAFKA_BROKERS, and KAFKA_SSL when it expects TLS.`,
    );
  return error;
}

import kafkajs, { Kafka, logLevel, type LogEntry, type SASLOptions } from 'kafkajs';
import type { Logger } from 'pino';
import { LedgerAwayError, ActionableError } from '../clickhouse/errors.ts';
// Registers the codecs: every client must read what other producers compressed.
import './codecs.ts';

// Node does not find these names among the exports of the package by itself.
const {
  KafkaJSConnectionError,
  KafkaJSError,
  KafkaJSProtocolError,
  KafkaJSRequestTimeoutError,
  KafkaJSSASLAuthenticationError,
  KafkaJSServerDoesNotSupportApiKey,
} = kafkajs;

/** How to reach the brokers. */
export interface KafkaSettings {
  /** `host:port` of some brokers; these name the others. */
  readonly brokers: readonly string[];
  /** Null = no TLS. `ca` is PEM text of a private certificate authority; null trusts the public ones. */
  readonly tls: { readonly ca: string | null } | null;
  readonly sasl: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
    readonly username: string;
    readonly password: string;
  } | null;
  /** Prefix of all topic names, on clusters that several installations share; usually empty. */
  readonly topicPrefix: string;
}

/**
 * Errors of a group that is forming, of members that come and go, and of a broker that comes back. They pass without
 * help, but kafkajs logs each as an error.
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

/** Messages of the broker for the same errors, where kafkajs logs no type. */
const PASSING_WORDS =
  /rebalanc|coordinator is not available|coordinator is loading|not aware of this member|not the correct coordinator|generation id is not valid|no leader/i;

function isPassing(entry: LogEntry['log']): boolean {
  const { type, error } = entry as { type?: unknown; error?: unknown };
  if (typeof type === 'string' && PASSING.has(type)) return true;
  return PASSING_WORDS.test(typeof error === 'string' ? error : entry.message);
}

/** A client that writes its log lines to our log. Broker errors that pass without help are logged at debug level. */
export function connectKafka(settings: KafkaSettings, log: Logger): Kafka {
  return new Kafka({
    clientId: 'ctwa-ledger',
    brokers: [...settings.brokers],
    ...(settings.tls === null ? {} : { ssl: settings.tls.ca === null ? true : { ca: [settings.tls.ca] } }),
    // A copy: the client keeps an authenticator in the object that it is given.
    ...(settings.sasl === null ? {} : { sasl: { ...settings.sasl } as SASLOptions }),
    connectionTimeout: 5_000,
    requestTimeout: 30_000,
    // Short, because callers try again for as long as needed, and log what they wait for.
    retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 5 },
    logLevel: logLevel.INFO,
    logCreator: () => (entry) => {
      const { message, timestamp: _timestamp, logger: _logger, ...fields } = entry.log;
      const line = { kafka: entry.namespace, ...fields };
      // The client's INFO lines, one for each step of joining, are debug lines here.
      if (entry.level === logLevel.ERROR && !isPassing(entry.log)) log.warn(line, message);
      else log.debug(line, message);
    },
  });
}

/** An error and its causes, outermost first. */
export function causesOf(error: unknown): Error[] {
  const causes: Error[] = [];
  for (let cause: unknown = error; cause instanceof Error && !causes.includes(cause); cause = cause.cause)
    causes.push(cause);
  return causes;
}

/** What each error code of a broker means for an operator, and whether it passes without help. */
const PROTOCOL_WORDS: Readonly<Record<string, readonly [what: string, advice: string]>> = {
  TOPIC_AUTHORIZATION_FAILED: ['does not let this user at its topics', 'Grant it to the user of KAFKA_USER.'],
  GROUP_AUTHORIZATION_FAILED: [
    'does not let this user into its consumer group',
    'Grant it Read on the groups of --group, that name with -dead-letters included.',
  ],
  CLUSTER_AUTHORIZATION_FAILED: [
    'does not let this user write idempotently or make topics',
    'Grant the user of KAFKA_USER IdempotentWrite on the cluster, and Create unless the topics are there.',
  ],
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: ['refuses transactions', 'Grant them to the user of KAFKA_USER.'],
  INVALID_SESSION_TIMEOUT: [
    'does not allow this session timeout',
    'Set KAFKA_SESSION_TIMEOUT_MS between group.min.session.timeout.ms and group.max.session.timeout.ms of the brokers.',
  ],
  INCONSISTENT_GROUP_PROTOCOL: [
    'has members of another program in this consumer group',
    'Give this one a group of its own with --group.',
  ],
  INVALID_GROUP_ID: ['does not take this name of a group', 'Give another one with --group.'],
  UNSUPPORTED_VERSION: ['speaks no version of the protocol that is spoken here', 'Use Kafka 2.1 or newer.'],
  UNSUPPORTED_COMPRESSION_TYPE: ['does not know the compression of a record', 'Use Kafka 2.1 or newer.'],
  UNKNOWN_TOPIC_OR_PARTITION: [
    'does not know a topic or partition',
    'Create the topics (ctwa-ledger topics create); if one was made anew, this passes.',
  ],
  TOPIC_ALREADY_EXISTS: ['has a topic of this name already', 'Run the command again.'],
  INVALID_REPLICATION_FACTOR: ['has fewer brokers than replicas are asked for', 'Give fewer with --replication.'],
  POLICY_VIOLATION: ['has a policy that does not allow it', 'Ask whoever runs Kafka to create the topics.'],
  MESSAGE_TOO_LARGE: ['refused a record for its size', 'Raise max.message.bytes of its topic.'],
  RECORD_LIST_TOO_LARGE: ['refused records for their size', 'Raise segment.bytes of their topic.'],
  INVALID_TIMESTAMP: [
    'does not take the time of a record',
    'Set the clock of this machine, or message.timestamp.type=LogAppendTime on the topic.',
  ],
  INVALID_RECORD: ['refused a record', 'The log of the broker says why.'],
  KAFKA_STORAGE_ERROR: ['cannot use its disk', 'Look at the disk and the log of the broker.'],
  NOT_ENOUGH_REPLICAS: [
    'has too few replicas in sync to take records',
    'Bring its other brokers back, or lower min.insync.replicas.',
  ],
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: [
    'has too few replicas in sync to keep records',
    'Bring its other brokers back, or lower min.insync.replicas.',
  ],
  LEADER_NOT_AVAILABLE: ['has no leader for a partition', 'Bring its other brokers back.'],
};

/** Errors that do not pass by trying again: a person has to act. */
const FOR_A_PERSON =
  /_AUTHORIZATION_FAILED$|^INVALID_(?:SESSION_TIMEOUT|GROUP_ID|REPLICATION_FACTOR)$|^INCONSISTENT_GROUP_PROTOCOL$|^UNSUPPORTED_|^POLICY_VIOLATION$/;

function protocolError({ type, message }: InstanceType<typeof KafkaJSProtocolError>, where: string): ActionableError {
  const [what, advice] = PROTOCOL_WORDS[type] ?? ['refused a request', 'It is tried again.'];
  const sentence = `Kafka at ${where} ${what} (${type}: ${message}). ${advice}`;
  return FOR_A_PERSON.test(type) ? new ActionableError(sentence) : new LedgerAwayError(sentence);
}

/** Network errors, by Node's codes. */
const UNREACHABLE = /^(?:ECONN\w+|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ERR_SSL\w*|EPROTO)$/;
/** Errors of kafkajs: no connection, or no answer. It exports no classes for some of them. */
const UNANSWERED = new Set([
  'KafkaJSBrokerNotFound',
  'KafkaJSNoBrokerAvailableError',
  'KafkaJSGroupCoordinatorNotFound',
]);

/**
 * Turns a broker's error into one that a person can act on: an `ActionableError` if trying again cannot help, a
 * `LedgerAwayError` if it may. An error that is not a broker's is returned as it is.
 */
export function brokerError(error: unknown, settings: KafkaSettings): unknown {
  if (error instanceof ActionableError) return error;
  const where = settings.brokers.join(', ');
  const causes = causesOf(error);
  const text = [...new Set(causes.map((cause) => cause.message))].join('; ');
  if (causes.some((cause) => cause instanceof KafkaJSSASLAuthenticationError))
    return new ActionableError(
      `Kafka at ${where} refused the credentials (${text}). Check KAFKA_SASL_MECHANISM, KAFKA_USER and KAFKA_PASSWORD.`,
    );
  const codes = causes.map((cause) => String((cause as NodeJS.ErrnoException).code ?? ''));
  if (/certificate|self.signed|CERT_/i.test(`${text} ${codes.join(' ')}`))
    return new ActionableError(
      `The certificate of Kafka at ${where} is not trusted (${text}). Give its authority with KAFKA_CA_FILE.`,
    );
  const refusal = causes.find((cause) => cause instanceof KafkaJSProtocolError);
  if (refusal !== undefined) return protocolError(refusal, where);
  if (causes.some((cause) => cause instanceof KafkaJSServerDoesNotSupportApiKey))
    return new ActionableError(`Kafka at ${where} is too old (${text}). Use Kafka 2.1 or newer.`);
  if (
    causes.some((cause) => cause instanceof KafkaJSConnectionError || UNANSWERED.has(cause.name)) ||
    codes.some((code) => UNREACHABLE.test(code))
  )
    return new LedgerAwayError(
      `Kafka at ${where} cannot be reached (${text}). Check KAFKA_BROKERS, and KAFKA_SSL when it expects TLS.`,
    );
  if (causes.some((cause) => cause instanceof KafkaJSRequestTimeoutError))
    return new LedgerAwayError(
      `Kafka at ${where} does not answer in time (${text}). Look at the load and the log of the brokers.`,
    );
  // All other errors of the client: missing metadata, answers that it could not decode, unexpected states.
  if (causes.some((cause) => cause instanceof KafkaJSError))
    return new LedgerAwayError(
      `Reading or writing Kafka at ${where} failed: ${text} (${[...new Set(causes.map(({ name }) => name))].join(', ')}). It is tried again; if it stays, report it with these words.`,
    );
  return error;
}

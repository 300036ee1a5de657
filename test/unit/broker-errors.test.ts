import { createRequire } from 'node:module';
import kafkajs from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { brokerError } from '../../services/kafka/connection.ts';
import { letterOf } from '../../services/kafka/records.ts';
import { LedgerAwayError, ActionableError } from '../../services/clickhouse/errors.ts';

const require = createRequire(import.meta.url);
const { errorCodes, createErrorFromCode } = require('kafkajs/src/protocol/error.js') as {
  errorCodes: readonly { readonly code: number; readonly type: string }[];
  createErrorFromCode: (code: number) => Error;
};
const errors = require('kafkajs/src/errors.js') as Record<string, new (...args: unknown[]) => Error>;
const SETTINGS = { brokers: ['kafka-1:9092'], tls: null, sasl: null, topicPrefix: '' };
const said = (error: unknown): Error => brokerError(error, SETTINGS) as Error;

/** No connection, or nobody who answers: what "cannot be reached" means. */
const OF_REACHING = [
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSBrokerNotFound',
  'KafkaJSNoBrokerAvailableError',
  'KafkaJSGroupCoordinatorNotFound',
];

describe('messages about an error of Kafka', () => {
  it.each(errorCodes.filter(({ code }) => code !== 0).map(({ type, code }) => [type, code] as const))(
    'names what the broker refused: %s',
    (type, code) => {
      // As it comes out of the client, too: wrapped in what the client has tried.
      const cause = createErrorFromCode(code);
      const wrapped = new errors['KafkaJSNumberOfRetriesExceeded']!(cause, { retryCount: 5, retryTime: 1 });
      for (const error of [cause, wrapped]) {
        const { message } = said(error);
        expect(message).toContain('kafka-1:9092');
        expect(message).toContain(type);
        expect(message).not.toContain('cannot be reached');
      }
    },
  );

  const classes = Object.entries(errors).filter(
    ([name, value]) => typeof value === 'function' && name.startsWith('KafkaJS') && !OF_REACHING.includes(name),
  );
  it.each(classes.map(([name]) => name))('does not speak of reaching when it is none of it: %s', (name) => {
    const context = { retriable: true, topic: 't', partition: 0, partitions: [], retryCount: 1, retryTime: 1 };
    const argument = name === 'KafkaJSDeleteTopicRecordsError' ? context : new Error('what the client says');
    const error = said(new errors[name]!(argument, context));
    expect(error.message).not.toContain('cannot be reached');
    expect(error.message).not.toBe('');
  });

  it.each(OF_REACHING)('speaks of reaching where it is: %s', (name) => {
    const error = said(new errors[name]!('Connection error', { broker: 'kafka-1:9092' }));
    expect(error).toBeInstanceOf(LedgerAwayError);
    expect(error.message).toContain('cannot be reached');
  });

  it('distinguishes errors that may pass from those that need a person', () => {
    const { KafkaJSProtocolError } = kafkajs;
    const of = (type: string): Error =>
      said(new KafkaJSProtocolError(errorCodes.find((e) => e.type === type) as never));
    for (const type of ['GROUP_AUTHORIZATION_FAILED', 'INVALID_SESSION_TIMEOUT', 'CLUSTER_AUTHORIZATION_FAILED']) {
      expect(of(type)).toBeInstanceOf(ActionableError);
      expect(of(type)).not.toBeInstanceOf(LedgerAwayError);
    }
    for (const type of ['NOT_ENOUGH_REPLICAS', 'LEADER_NOT_AVAILABLE', 'REBALANCE_IN_PROGRESS', 'CORRUPT_MESSAGE'])
      expect(of(type)).toBeInstanceOf(LedgerAwayError);
    expect(of('INVALID_SESSION_TIMEOUT').message).toContain('KAFKA_SESSION_TIMEOUT_MS');
  });
});

describe('a record of the dead-letter topic', () => {
  const NOW = Date.UTC(2026, 10, 28);
  const headers = {
    source_topic: 'whatsapp.messages',
    partition: '3',
    offset: '77',
    reason_code: 'schema',
    message: 'wrong',
    first_seen: '2026-11-01T00:00:00.000Z',
  };
  const read = (changed: Record<string, string | undefined>): ReturnType<typeof letterOf> =>
    letterOf({ value: Buffer.from('raw'), headers: { ...headers, ...changed } }, NOW);

  it('is a letter', () => {
    expect(read({})).toMatchObject({
      firstSeenMs: Date.UTC(2026, 10, 1),
      letter: { source: 'whatsapp.messages', partition: 3, position: 77, code: 'schema', message: 'wrong' },
    });
  });

  it.each(['not_json', 'invalid_utf8', 'of_a_later_version'])('has any code of ours: %s', (reason_code) => {
    expect(read({ reason_code })?.letter.code).toBe(reason_code);
  });

  it.each(['+275760-09-13T00:00:00.000Z', '-271821-04-20T00:00:00.000Z', '1899-01-01', '2300-01-01', 'never', ''])(
    'whose time cannot be (%s) is a letter of now',
    (first_seen) => {
      expect(read({ first_seen })?.firstSeenMs).toBe(NOW);
      expect(read({ first_seen: undefined })?.firstSeenMs).toBe(NOW);
    },
  );

  it.each([
    { partition: '2147483648' },
    { partition: '-1' },
    { partition: '99999999999999999999' },
    { partition: undefined },
    { offset: '9999999999999999' },
    { offset: '18446744073709551616' },
    { offset: '1e3' },
    { offset: '' },
    { reason_code: 'x'.repeat(61) },
    { reason_code: 'DROP TABLE' },
    { reason_code: undefined },
    { message: undefined },
    { source_topic: undefined },
    { source_topic: 'x'.repeat(5_000) },
  ])('that no column takes is nobody’s letter: %o', (changed) => {
    expect(read(changed)).toBeNull();
  });

  it('has a message that is kept within bounds', () => {
    expect(read({ message: 'm'.repeat(100_000) })?.letter.message.length).toBe(4_096);
  });
});

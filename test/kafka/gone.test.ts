import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, expect, it } from 'vitest';
import { MAX_WAIT_MS } from '../../services/kafka/group-member.ts';
import { health } from '../../services/reports/health.ts';
import { describeKafka } from '../support/kafka.ts';
import { withLedger } from '../support/ledger.ts';
import { DataDirectory, until } from '../support/product.ts';
import { traffic, World, type ConsumerProcess } from './consuming.ts';

describeKafka('offsets that hold nothing any more', {}, (kafka) => {
  const data = new DataDirectory();
  let world: World;
  afterEach(() => world.close());
  afterAll(() => data.remove());

  const recordsOf = (values: readonly object[]): { key: string; value: string; partition: number }[] =>
    values.map((value, i) => ({ key: `k${i}`, value: JSON.stringify(value), partition: 0 }));

  /** The sum of a measure over its labels. */
  async function measured(consumer: ConsumerProcess, name: string): Promise<number> {
    const text = await (await fetch(`${await consumer.url()}/metrics`)).text();
    const lines = text.matchAll(new RegExp(`^${name}\\{[^}]*\\} (\\d+)$`, 'gm'));
    return [...lines].reduce((sum, [, value]) => sum + Number(value), 0);
  }

  const lost = (): Promise<unknown> =>
    withLedger(data, world.database, async (ledger) =>
      (await health(ledger.database)).lost.map(({ topic, partition, first_offset, records }) => ({
        topic,
        partition,
        first_offset,
        records,
      })),
    );

  it('are no lag: those of a transaction that was aborted, with nothing behind them', async () => {
    world = await World.create(kafka, data, 1);
    const { messages } = world.names;
    const values = traffic(401, 40);
    // In the one topic there is nothing else, in the other they follow what was read.
    await world.produce(values);
    await kafka.produceAndAbort(world.names.statuses, recordsOf(traffic(402, 400)));
    await kafka.produceAndAbort(messages, recordsOf(traffic(403, 30)));
    const consumer = world.consume();
    await world.untilCaughtUp();
    await until('no lag is measured', async () => {
      const partitions = await consumer.partitions();
      return partitions.length === 2 && (await measured(consumer, 'ctwa_consumer_lag')) === 0;
    });
    await world.expectAsFromFile(values);
    // A topic where nobody has ever read anything.
    await kafka.produceAndAbort(messages, recordsOf(traffic(404, 5)));
    await world.untilCaughtUp();
    expect(await measured(consumer, 'ctwa_records_lost_total')).toBe(0);
    await consumer.stop();
  });

  it('are counted when they were deleted unread, and the loss is stored', async () => {
    world = await World.create(kafka, data, 1);
    const { messages } = world.names;
    const values = traffic(405, 60);
    await kafka.produce(messages, recordsOf(values.slice(0, 10)));
    const first = world.consume();
    await world.untilCaughtUp();
    await first.stop();
    await kafka.produce(messages, recordsOf(values.slice(10, 40)));
    await kafka.deleteBefore(messages, 0, 25);
    const second = world.consume();
    await world.untilCaughtUp();
    await second.says(`15 records of ${messages}, partition 0, were deleted in Kafka before they were read`);
    expect(await measured(second, 'ctwa_records_lost_total')).toBe(15);
    await second.stop();
    const expected = [{ topic: messages, partition: 0, first_offset: '10', records: '15' }];
    expect(await lost()).toEqual(expected);
    // All of them gone, and none behind: that is no lag, and the same loss is not found at every start.
    await kafka.produce(messages, recordsOf(values.slice(40)));
    await kafka.deleteBefore(messages, 0, 60);
    for (let start = 0; start < 2; start++) {
      const next = world.consume();
      await world.untilCaughtUp();
      await next.untilReady();
      expect(await measured(next, 'ctwa_records_lost_total')).toBe(start === 0 ? 20 : 0);
      await next.stop();
    }
    expect(await lost()).toEqual([{ topic: messages, partition: 0, first_offset: '40', records: '20' }, ...expected]);
    await world.expectAsFromFile([...values.slice(0, 10), ...values.slice(25, 40)]);
  });

  it('are counted when they are deleted before the eyes of a consumer that sleeps', async () => {
    world = await World.create(kafka, data, 1);
    const { messages } = world.names;
    const values = traffic(406, 60);
    await kafka.produce(messages, recordsOf(values.slice(0, 10)));
    const consumer = world.consume();
    await world.untilCaughtUp();
    consumer.signal('SIGSTOP');
    // A fetch that the broker holds open would still be answered with the records that are deleted below.
    await wait(20 * MAX_WAIT_MS);
    await kafka.produce(messages, recordsOf(values.slice(10, 40)));
    await kafka.deleteBefore(messages, 0, 30);
    consumer.signal('SIGCONT');
    await kafka.produce(messages, recordsOf(values.slice(40)));
    await world.untilCaughtUp();
    await until('the loss is counted', async () => (await measured(consumer, 'ctwa_records_lost_total')) > 0);
    expect(await measured(consumer, 'ctwa_records_lost_total')).toBe(20);
    const { read } = await consumer.counts();
    expect(read).toBe(40);
    await consumer.stop();
  });

  it('are those behind the end of a partition that has lost its tail: it is read from its first record', async () => {
    world = await World.create(kafka, data, 1);
    const { messages } = world.names;
    const values = traffic(407, 60);
    await kafka.produce(messages, recordsOf(values.slice(0, 50)));
    const first = world.consume();
    await world.untilCaughtUp();
    await first.stop();
    // As after the election of a leader that lacks what another one had.
    await kafka.commit(world.group, messages, 0, 1_000);
    await kafka.produce(messages, recordsOf(values.slice(50)));
    const second = world.consume();
    await second.says('It is read again from its first record');
    await world.untilCaughtUp();
    await world.expectAsFromFile(values);
    expect(await lost()).toEqual([]);
    await second.stop();
  });
});

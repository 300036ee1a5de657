import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { describeKafka } from '../support/kafka.ts';
import { isFull } from '../support/ledger.ts';
import { DataDirectory, until, wait } from '../support/product.ts';
import { Door } from './door.ts';
import { traffic, World, type ConsumerProcess } from './consuming.ts';

/** How long something is kept away: longer than the first attempts to reach it take. */
const AWAY_MS = isFull ? 90_000 : 2_000;

describeKafka('consumers whose world falls apart', { own: true }, (kafka) => {
  const data = new DataDirectory();
  const door = new Door(data.path);
  let world: World;
  beforeAll(() => door.open());
  afterEach(async () => {
    await world.close();
  });
  afterAll(async () => {
    await door.shut();
    await data.remove();
  });

  const size = isFull ? 6_000 : 900;

  /** Waits until it has read something of what comes now. */
  async function untilWorking(consumer: ConsumerProcess): Promise<void> {
    const before = (await consumer.counts()).read;
    await until('it is in the middle of its work', async () => (await consumer.counts()).read > before);
  }

  async function expectComplete(consumer: ConsumerProcess, values: readonly object[]): Promise<void> {
    await world.untilCaughtUp();
    await consumer.untilReady();
    await consumer.counts();
    expect(await consumer.status('/healthz')).toBe(200);
    await world.expectAsFromFile(values);
    await world.expectBillingComplete();
    await consumer.stop();
    expect(await world.behind()).toEqual([]);
  }

  it('outlive a ClickHouse that is away and comes back', async () => {
    world = await World.create(kafka, data, 4);
    const values = traffic(101, size);
    const consumer = world.consume({ env: door.env });
    await consumer.untilReady();
    const producing = world.produce(values, { batch: 20 });
    await untilWorking(consumer);
    await door.shut();
    await consumer.untilNotReady();
    await producing;
    await wait(AWAY_MS);
    expect(consumer.hasEnded).toBe(false);
    expect(await consumer.status('/healthz')).toBe(200);
    await door.open();
    await consumer.untilReady();
    await expectComplete(consumer, values);
  });

  it('outlive an embedded engine that is killed, again and again', async () => {
    world = await World.create(kafka, data, 4);
    const values = traffic(102, size);
    const consumer = world.consume();
    await consumer.untilReady();
    const producing = world.produce(values, { batch: 20 });
    for (let i = 0; i < (isFull ? 10 : 2); i++) {
      await untilWorking(consumer).catch(() => undefined);
      await data.killEngine();
    }
    await producing;
    await expectComplete(consumer, values);
    await door.shut();
    await door.open();
  });

  it.each(isFull ? (['kill', 'stop'] as const) : (['kill'] as const))(
    'outlive a broker that goes and comes back (%s)',
    async (way) => {
      world = await World.create(kafka, data, 4);
      const values = traffic(103, size);
      const consumer = world.consume({ env: door.env });
      await consumer.untilReady();
      const producing = world.produce(values, { batch: 20 });
      await untilWorking(consumer);
      await kafka.own[way]();
      await consumer.untilNotReady();
      await wait(AWAY_MS);
      expect(consumer.hasEnded).toBe(false);
      await kafka.own.restart();
      await producing;
      await expectComplete(consumer, values);
    },
  );

  it('outlive both at once', async () => {
    world = await World.create(kafka, data, 4);
    const values = traffic(104, size);
    const consumer = world.consume({ env: door.env });
    await consumer.untilReady();
    const producing = world.produce(values, { batch: 20 });
    await untilWorking(consumer);
    await Promise.all([door.shut(), kafka.own.kill()]);
    await consumer.untilNotReady();
    await wait(AWAY_MS);
    expect(consumer.hasEnded).toBe(false);
    await kafka.own.restart();
    await wait(AWAY_MS / 2);
    await door.open();
    await producing;
    await expectComplete(consumer, values);
  });

  const INSERTS = [
    'INSERT INTO message_marks',
    'INSERT INTO events',
    'INSERT INTO dirty_cells',
    'INSERT INTO emitted_threads',
  ];
  it.each(isFull ? INSERTS : INSERTS.slice(0, 1))(
    'take an insert whose answer is lost for what it is (%s)',
    async (statement) => {
      world = await World.create(kafka, data, 2);
      const values = traffic(105, 200);
      const consumer = world.consume({ env: door.env });
      await consumer.untilReady();
      const lost = door.loseAnswerOf(statement);
      await world.produce(values);
      await lost;
      await expectComplete(consumer, values);
    },
  );

  const STEPS = [
    ['landing and marks', 'INSERT INTO message_marks'],
    ['marks and what they soil', 'INSERT INTO dirty_cells'],
    ['telling and the note that it was told', 'INSERT INTO emitted_threads'],
  ] as const;
  it.each(isFull ? STEPS : STEPS.slice(0, 1))(
    'leave nothing undone when they are killed between %s',
    async (_, statement) => {
      world = await World.create(kafka, data, 2);
      const values = traffic(106, 200);
      const consumer = world.consume({ env: door.env });
      await consumer.untilReady();
      const gate = door.hold(statement);
      await world.produce(values);
      await gate.reached;
      await consumer.kill();
      gate.open();
      const next = world.consume({ env: door.env });
      await expectComplete(next, values);
    },
  );

  it('stop cleanly under load', async () => {
    world = await World.create(kafka, data, 4);
    const times = isFull ? 10 : 2;
    const values = traffic(107, times * 400);
    for (let i = 0; i < times; i++) {
      const consumer = world.consume({ env: door.env });
      await consumer.untilReady();
      const producing = world.produce(values.slice(i * 400, (i + 1) * 400), { batch: 10 });
      await until('it has read something', async () => (await consumer.counts()).read > 0);
      await consumer.stop();
      await producing;
    }
    await expectComplete(world.consume({ env: door.env }), values);
  });

  // Mostly waiting for limits to run out, so the full run has it.
  it.runIf(isFull)('stop although ClickHouse is away', async () => {
    world = await World.create(kafka, data, 4);
    const values = traffic(108, 300);
    const consumer = world.consume({ env: door.env });
    await consumer.untilReady();
    await door.shut();
    await world.produce(values);
    await consumer.untilNotReady();
    // Within this test's time, which is what a container is given and more.
    await consumer.stop();
    await door.open();
    await expectComplete(world.consume({ env: door.env }), values);
  });

  it('wait for a ClickHouse that is not there yet', async () => {
    world = await World.create(kafka, data, 4);
    const values = traffic(109, 100);
    await door.shut();
    const consumer = world.consume({ env: door.env });
    await world.produce(values);
    await consumer.says('Waiting: ClickHouse at');
    await until('it says that it is not ready', async () => (await consumer.status('/readyz')) === 503);
    expect(await consumer.status('/healthz')).toBe(200);
    await door.open();
    await expectComplete(consumer, values);
  });
});

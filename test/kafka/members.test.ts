import { AssignerProtocol, type Cluster } from 'kafkajs';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { coPartitions } from '../../services/kafka/assigner.ts';
import { Prng } from '../../services/simulate/prng.ts';
import { parsed } from '../support/expected-rows.ts';
import { describeKafka } from '../support/kafka.ts';
import { isFull, openLedger, shuffled } from '../support/ledger.ts';
import { DataDirectory, until } from '../support/product.ts';
import { traffic, World, type ConsumerProcess } from './consuming.ts';

describe('which member gets which partitions', () => {
  const assign = async (memberIds: readonly string[], partitions: Readonly<Record<string, number[]>>) => {
    const cluster = {
      findTopicPartitionMetadata: (topic: string) =>
        (partitions[topic] ?? []).map((partitionId) => ({ partitionId, leader: 1 })),
    } as unknown as Cluster;
    const assigner = coPartitions({ cluster, groupId: 'g', logger: undefined as never });
    const assigned = await assigner.assign({
      members: memberIds.map((memberId) => ({ memberId, memberMetadata: Buffer.alloc(0) })),
      topics: Object.keys(partitions),
    });
    return new Map(
      assigned.map(({ memberId, memberAssignment }) => [
        memberId,
        AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment ?? {},
      ]),
    );
  };
  const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

  it.each([
    [1, 12],
    [2, 12],
    [3, 12],
    [5, 12],
    [12, 12],
    [7, 3],
    [1, 1],
    [10, 48],
  ])('%i members of %i partitions: each has one owner, and both topics the same one', async (members, partitions) => {
    const ids = numbers(members).map((i) => `member-${(i * 7) % members}-${i}`);
    const shuffledOnce = shuffled(numbers(partitions), new Prng(members));
    const assigned = await assign(ids, { messages: numbers(partitions), statuses: shuffledOnce });
    expect([...assigned.keys()].sort()).toEqual([...ids].sort());
    const owned = [...assigned.values()].flatMap((assignment) => assignment['messages'] ?? []);
    expect(owned.sort((a, b) => a - b)).toEqual(numbers(partitions));
    const sizes: number[] = [];
    for (const assignment of assigned.values()) {
      const own = [...(assignment['messages'] ?? [])].sort((a, b) => a - b);
      expect([...(assignment['statuses'] ?? [])].sort((a, b) => a - b)).toEqual(own);
      sizes.push(own.length);
    }
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    // In whatever order the members are named: two leaders in a row must not move partitions for nothing.
    expect(await assign([...ids].reverse(), { messages: numbers(partitions), statuses: shuffledOnce })).toEqual(
      assigned,
    );
  });
});

describeKafka('members of a group', {}, (kafka) => {
  const data = new DataDirectory();
  const prng = new Prng(Date.now());
  let world: World;
  afterEach(() => world.close());
  afterAll(() => data.remove());

  it('come, go and are killed under load, and nothing is lost or twice', async () => {
    world = await World.create(kafka, data);
    const changes = isFull ? 50 : 5;
    const values = shuffled(traffic(77, changes * 600), prng);
    const members = [world.consume()];
    await members[0]!.untilReady();
    let left = values;
    for (let change = 0; change < changes; change++) {
      const load = left.slice(0, 600);
      left = left.slice(600);
      const producing = world.produce(load, { batch: 20 });
      // Of the normal run's five, every kind comes; of more, any.
      const kind =
        change < 5 ? ['join', 'kill', 'join', 'leave', 'join'][change]! : prng.pick(['join', 'leave', 'kill']);
      if (kind === 'join' || members.length === 1) {
        if (members.length < 4) members.push(world.consume());
        await members.at(-1)!.untilReady();
      }
      if (kind !== 'join') {
        const [member] = members.splice(prng.int(0, members.length - 1), 1);
        if (kind === 'leave') await member!.stop();
        else await member!.kill();
      }
      await producing;
    }
    await world.untilCaughtUp();
    await world.untilShared(members);
    await world.expectAsFromFile(values);
    await world.expectBillingComplete();
    for (const member of members) await member.stop();
    expect(await world.behind()).toEqual([]);
  });

  it('may be more than there are partitions: one without a partition waits, and takes over', async () => {
    world = await World.create(kafka, data, 2);
    const values = traffic(78, 400);
    const members: ConsumerProcess[] = [world.consume(), world.consume(), world.consume()];
    for (const member of members) await member.untilReady();
    await world.untilShared(members);
    const idle: ConsumerProcess[] = [];
    const busy: ConsumerProcess[] = [];
    for (const member of members) ((await member.partitions()).length === 0 ? idle : busy).push(member);
    expect(idle).toHaveLength(1);
    await world.produce(values.slice(0, 200));
    await world.untilCaughtUp();
    expect(await idle[0]!.counts()).toMatchObject({ read: 0 });
    for (const member of busy) await member.stop();
    await world.produce(values.slice(200));
    await world.untilCaughtUp();
    await world.expectAsFromFile(values);
    await idle[0]!.stop();
  });

  it('write threads that others write at the same time', async () => {
    world = await World.create(kafka, data, 4);
    const values = traffic(79, 800);
    const consumer = world.consume();
    await consumer.untilReady();
    const ledger = await openLedger(data, world.database);
    const mine: object[] = [];
    const theirs: object[] = [];
    for (const value of values) (prng.chance(0.5) ? mine : theirs).push(value);
    try {
      await ledger.beginWriting();
      const writing = (async () => {
        for (let i = 0; i < mine.length; i += 20) await ledger.record(parsed(mine.slice(i, i + 20)));
      })();
      await Promise.all([world.produce(theirs, { batch: 20 }), writing]);
    } finally {
      await ledger.close();
    }
    await world.untilCaughtUp();
    await world.expectAsFromFile(values);
    // What the other one stored was told to nobody; it is when it comes by the topics as well, though it is nothing new.
    await world.produce(mine);
    await world.untilCaughtUp();
    await world.expectAsFromFile(values);
    await world.expectBillingComplete();
    await consumer.stop();
  });

  it('sleep through the loss of their partitions, and do no harm when they wake', async () => {
    world = await World.create(kafka, data, 4);
    const rounds = isFull ? 10 : 1;
    const values = traffic(80, rounds * 1_200);
    const first = world.consume();
    await first.untilReady();
    for (let round = 0; round < rounds; round++) {
      const part = values.slice(round * 1_200, (round + 1) * 1_200);
      const producing = world.produce(part.slice(0, 600), { batch: 20 });
      const before = (await first.counts()).read;
      await until('it is in the middle of its work', async () => (await first.counts()).read > before);
      first.signal('SIGSTOP');
      const second = world.consume();
      await producing;
      // The second one gets everything, which the broker does only when it has given up the first.
      await second.untilReady();
      await world.untilShared([second]);
      await world.produce(part.slice(600, 900));
      await world.untilCaughtUp();
      first.signal('SIGCONT');
      await world.produce(part.slice(900));
      await world.untilShared([first, second]);
      await world.untilCaughtUp();
      await second.stop();
      await world.untilShared([first]);
    }
    await world.expectAsFromFile(values);
    await world.expectBillingComplete();
    await first.stop();
    expect(await world.behind()).toEqual([]);
  });
});

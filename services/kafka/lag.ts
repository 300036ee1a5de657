import type { Admin } from 'kafkajs';

/** Offsets of a partition: where the group is, and which records the broker has. */
export interface Standing {
  readonly topic: string;
  readonly partition: number;
  /** The committed offset; null when nothing was committed, or when the broker no longer keeps it. */
  readonly committed: bigint | null;
  /** Offset of the first record that still exists. */
  readonly low: bigint;
  /** Offset after the last record. */
  readonly high: bigint;
}

/** Records of a partition that the group has not committed yet. */
export interface PartitionLag {
  readonly topic: string;
  readonly partition: number;
  readonly lag: number;
}

/** The standing of a group in some partitions, by topic. */
export async function standingsOf(
  admin: Admin,
  group: string,
  partitions: ReadonlyMap<string, readonly number[]>,
): Promise<Standing[]> {
  const topics = [...partitions.keys()];
  const committed = new Map<string, bigint>();
  for (const { topic, partitions: known } of await admin.fetchOffsets({ groupId: group, topics }))
    for (const { partition, offset } of known) committed.set(`${topic}/${partition}`, BigInt(offset));
  const standings: Standing[] = [];
  for (const [topic, own] of partitions)
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
      if (!own.includes(partition)) continue;
      const offset = committed.get(`${topic}/${partition}`) ?? -1n;
      standings.push({
        topic,
        partition,
        committed: offset < 0n ? null : offset,
        low: BigInt(low),
        high: BigInt(high),
      });
    }
  return standings;
}

/** The lag of a group in some partitions: how many records of the broker it has not committed. */
export async function lagOf(
  admin: Admin,
  group: string,
  partitions: ReadonlyMap<string, readonly number[]>,
): Promise<PartitionLag[]> {
  return (await standingsOf(admin, group, partitions)).map(({ topic, partition, committed, low, high }) => {
    const from = committed === null || committed < low ? low : committed;
    return { topic, partition, lag: Number(high > from ? high - from : 0n) };
  });
}

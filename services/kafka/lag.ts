import type { Admin } from 'kafkajs';

/** Records of a partition that the group has not committed yet. */
export interface PartitionLag {
  readonly topic: string;
  readonly partition: number;
  readonly lag: number;
}

/** The lag of a group on some partitions, by what the broker has and what is committed. */
export async function lagOf(
  admin: Admin,
  group: string,
  partitions: ReadonlyMap<string, readonly number[]>,
): Promise<PartitionLag[]> {
  const topics = [...partitions.keys()];
  const committed = new Map<string, string>();
  for (const { topic, partitions: known } of await admin.fetchOffsets({ groupId: group, topics }))
    for (const { partition, offset } of known) committed.set(`${topic}/${partition}`, offset);
  const lags: PartitionLag[] = [];
  for (const [topic, own] of partitions)
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
      if (!own.includes(partition)) continue;
      const offset = committed.get(`${topic}/${partition}`) ?? '-1';
      const from = offset.startsWith('-') ? low : offset;
      lags.push({ topic, partition, lag: Number(BigInt(high) - BigInt(from)) });
    }
  return lags;
}

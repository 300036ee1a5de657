import type { Database } from '../../clickhouse/database.ts';

/** Records of a Kafka partition that were deleted there before they were read. */
export interface LostRecords {
  readonly topic: string;
  readonly partition: number;
  /** Offset of the first of them. */
  readonly from: bigint;
  /** The offset behind the last of them. */
  readonly to: bigint;
}

/** Keeps a loss for good. The same loss, noticed again and perhaps grown, is kept once. */
export async function keepLostRecords(database: Database, lost: LostRecords): Promise<void> {
  await database.command(
    'INSERT INTO lost_records SELECT {topic:String}, {partition:Int32}, {from:UInt64}, {to:UInt64}, now64(3)',
    { topic: lost.topic, partition: lost.partition, from: lost.from.toString(), to: lost.to.toString() },
  );
}

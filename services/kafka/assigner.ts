import { AssignerProtocol, type PartitionAssigner } from 'kafkajs';

const NAME = 'CtwaCoPartitions';
const VERSION = 1;

/**
 * Assigns partition p of every subscribed topic to one member: messages and statuses of a thread share their key, so
 * one process receives both. Members take partitions in the order of their ids.
 */
export const coPartitions: PartitionAssigner = ({ cluster }) => ({
  name: NAME,
  version: VERSION,
  assign: ({ members, topics }) => {
    const memberIds = members.map((member) => member.memberId).sort();
    const assignments = new Map(memberIds.map((id) => [id, {} as Record<string, number[]>]));
    for (const topic of topics)
      for (const { partitionId } of cluster.findTopicPartitionMetadata(topic)) {
        const own = assignments.get(memberIds[partitionId % memberIds.length] ?? '');
        if (own !== undefined) (own[topic] ??= []).push(partitionId);
      }
    return Promise.resolve(
      [...assignments].map(([memberId, assignment]) => ({
        memberId,
        memberAssignment: AssignerProtocol.MemberAssignment.encode({
          version: VERSION,
          assignment,
          userData: Buffer.alloc(0),
        }),
      })),
    );
  },
  protocol: ({ topics }) => ({
    name: NAME,
    metadata: AssignerProtocol.MemberMetadata.encode({ version: VERSION, topics, userData: Buffer.alloc(0) }),
  }),
});

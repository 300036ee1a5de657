import type { LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import type { Database } from '../../clickhouse/database.ts';
import { threadText, type ThreadKey } from '../events/thread-key.ts';
import { readLinks } from './links.ts';
import { isLinked, type Batch } from './live-batch.ts';
import type { LiveReader } from './live-reader.ts';
import type { RememberedThread } from './thread-cache.ts';
import { Components } from './threads.ts';

/** A thread of a group that shares messages or names. */
export interface Member {
  readonly thread: ThreadKey;
  /** As of a remembered thread. */
  readonly isSettled: boolean;
  events: readonly LedgerEvent[] | null;
  links: readonly ThreadKey[] | null;
}

/** A whole group of threads that share messages or names; they are folded together. */
export interface Component {
  readonly members: Member[];
}

/**
 * The threads that share messages or names with threads of a batch, however far that reaches.
 * @param recall what is remembered of a thread; null = it is to be read
 */
export async function liveComponents(
  database: Database,
  reader: LiveReader,
  batch: Batch,
  recall: (thread: ThreadKey) => RememberedThread | null,
): Promise<Component[]> {
  const components = new Components();
  const found = new Map<string, Member>();
  let frontier: Member[] = [...batch.threads.values()]
    .filter(isLinked)
    .map(({ thread, events, links }) => ({ thread, isSettled: true, links, events: events?.all ?? null }));
  for (const member of frontier) found.set(threadText(member.thread), member);
  while (frontier.length > 0) {
    const unknown = frontier.filter(({ links }) => links === null);
    const links = await readLinks(
      database,
      unknown.map(({ thread }) => thread),
    );
    for (const member of unknown) member.links = links.get(threadText(member.thread)) ?? [];
    const next: Member[] = [];
    for (const { thread, links } of frontier)
      for (const other of links ?? []) {
        const name = threadText(other);
        components.join(threadText(thread), name);
        if (found.has(name)) continue;
        const remembered = recall(other);
        const member: Member = {
          thread: other,
          isSettled: remembered?.isSettled ?? false,
          links: remembered?.links ?? null,
          events: remembered?.events ?? null,
        };
        found.set(name, member);
        next.push(member);
      }
    frontier = next;
  }
  const missing = [...found.values()].filter(({ events }) => events === null).map(({ thread }) => thread);
  const read = await reader.eventsOf(missing);
  const byRoot = new Map<string, Component>();
  for (const [name, member] of found) {
    member.events ??= read.get(name) ?? [];
    const root = components.find(name);
    const component = byRoot.get(root);
    if (component === undefined) byRoot.set(root, { members: [member] });
    else component.members.push(member);
  }
  return [...byRoot.values()];
}

/**
 * Above so many unread records there is a backlog: folding batch after batch would fold the same threads again and
 * again. Fewer are quicker as live traffic: a backlog writes all rows of the threads that it touches, however few of them
 * change, and nothing is remembered after it.
 */
const BACKLOG_RECORDS = 100_000;

/** How far a member was behind the ends of its partitions at its last fetch. */
export class Behind {
  #generation = -1;
  readonly #records = new Map<string, number>();

  /**
   * Notes the result of a fetch.
   * @param behind records of the partition after the fetched ones
   * @param generation of the member's assignment; notes of earlier generations are dropped
   */
  note(topic: string, partition: number, behind: number, generation: number): void {
    if (generation !== this.#generation) this.#records.clear();
    this.#generation = generation;
    this.#records.set(`${topic}/${partition}`, behind);
  }

  /**
   * Whether so many records are unread that they should be folded together. A backlog that is being gathered lasts until
   * nothing is unread: its rest would be another batch.
   * @param gathered records that are to be folded with them
   */
  isBacklog(gathered: number): boolean {
    let sum = 0;
    for (const records of this.#records.values()) sum += records;
    return sum >= (gathered >= BACKLOG_RECORDS ? 1 : BACKLOG_RECORDS);
  }
}

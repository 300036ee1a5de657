/** Records that still wait in the broker, above which there is a backlog: folding each fetch would fold threads often. */
const BACKLOG_RECORDS = 20_000;

/** How far a member was behind the ends of its partitions when it last fetched of them. */
export class Behind {
  #generation = -1;
  readonly #records = new Map<string, number>();

  /**
   * Notes what a fetch said.
   * @param behind records of the partition after those fetched
   * @param generation of the member's time with its partitions: what was known of earlier ones is forgotten
   */
  note(topic: string, partition: number, behind: number, generation: number): void {
    if (generation !== this.#generation) this.#records.clear();
    this.#generation = generation;
    this.#records.set(`${topic}/${partition}`, behind);
  }

  /** Whether so much is waiting that it is better folded at once. */
  get isBacklog(): boolean {
    let sum = 0;
    for (const records of this.#records.values()) sum += records;
    return sum >= BACKLOG_RECORDS;
  }
}

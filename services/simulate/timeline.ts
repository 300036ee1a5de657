const SECONDS_PER_SLOT = 300;
/** Multiplier that combines the second of a slot with the position in it, in one exactly representable number. */
const POSITIONS = 0x1_0000_0000;

/** Bytes of a block; a longer line cannot be stored. */
const BLOCK = 4096;
const LENGTH_BYTES = 2;

class Slot<Task> {
  /** Second in the slot × `POSITIONS` + position of the line's length in the blocks. */
  readonly keys: number[] = [];
  readonly blocks: Buffer[] = [];
  /** Bytes of the last block in use. */
  used = BLOCK;
  readonly tasks: Task[] = [];
}

/**
 * Lines and tasks waiting for their time, in slots of a few minutes. A task adds only lines and tasks that are not
 * earlier than itself, so once its tasks have run a slot is complete and can be sorted and returned.
 * Waiting lines are bytes in reused blocks: as strings of many parts they would keep the garbage collector busier than
 * everything else.
 */
export class Timeline<Task> {
  readonly #slots = new Map<number, Slot<Task>>();
  readonly #free: Buffer[] = [];
  readonly #end: number;

  /** @param end Unix seconds; lines and tasks at or after it are dropped */
  constructor(end: number) {
    this.#end = end;
  }

  #slot(time: number): Slot<Task> {
    const number = Math.floor(time / SECONDS_PER_SLOT);
    let slot = this.#slots.get(number);
    if (slot === undefined) {
      slot = new Slot();
      this.#slots.set(number, slot);
    }
    return slot;
  }

  /**
   * @param time Unix seconds at which the line arrives
   * @param line at most 4,094 characters, none above U+00FF
   */
  addLine(time: number, line: string): void {
    if (time >= this.#end) return;
    const slot = this.#slot(time);
    const { length } = line;
    if (slot.used + LENGTH_BYTES + length > BLOCK) {
      slot.blocks.push(this.#free.pop() ?? Buffer.allocUnsafeSlow(BLOCK));
      slot.used = 0;
    }
    const last = slot.blocks.length - 1;
    const block = slot.blocks[last] as Buffer;
    slot.keys.push((time % SECONDS_PER_SLOT) * POSITIONS + last * BLOCK + slot.used);
    block[slot.used] = length & 255;
    block[slot.used + 1] = length >> 8;
    block.write(line, slot.used + LENGTH_BYTES, 'latin1');
    slot.used += LENGTH_BYTES + length;
  }

  /** @param time Unix seconds at which the task is to run */
  addTask(time: number, task: Task): void {
    if (time < this.#end) this.#slot(time).tasks.push(task);
  }

  /**
   * The lines by time of arrival, those of one second in the order in which they were added.
   * @param start Unix seconds of the first slot
   * @param run called for each task when its slot is due
   * @param beforeSlot called with the end of each slot (Unix seconds, exclusive) before the slot is processed
   */
  *drain(start: number, beforeSlot: (slotEnd: number) => void, run: (task: Task) => void): Generator<string> {
    const last = Math.ceil(this.#end / SECONDS_PER_SLOT);
    for (let number = Math.floor(start / SECONDS_PER_SLOT); number < last; number++) {
      beforeSlot((number + 1) * SECONDS_PER_SLOT);
      const slot = this.#slots.get(number);
      if (slot === undefined) continue;
      // The list grows while its tasks run.
      for (let i = 0; i < slot.tasks.length; i++) run(slot.tasks[i] as Task);
      this.#slots.delete(number);
      const keys = Float64Array.from(slot.keys).sort();
      for (const key of keys) {
        const position = key % POSITIONS;
        const block = slot.blocks[Math.floor(position / BLOCK)] as Buffer;
        const start = (position % BLOCK) + LENGTH_BYTES;
        const length = (block[start - 2] as number) | ((block[start - 1] as number) << 8);
        yield block.toString('latin1', start, start + length);
      }
      this.#free.push(...slot.blocks);
    }
  }
}

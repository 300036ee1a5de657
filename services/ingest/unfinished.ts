/** How much may be held at once for senders that have not finished. */
export interface UnfinishedLimits {
  readonly bodies: number;
  readonly bytes: number;
  /** How long one body may take from its first line to its last byte. */
  readonly milliseconds: number;
}

/** Why a body is not waited for any longer: others needed its place, or its time was up. */
export type EndedBecause = 'crowded' | 'late';

interface Held {
  bytes: number;
  readonly timer: NodeJS.Timeout;
  readonly onEnded: (why: EndedBecause) => void;
}

/** The place of one body. */
export interface Seat {
  /** Says how many bytes are held for the body now. Others may be ended for it; it may be ended itself. */
  readonly hold: (bytes: number) => void;
  /** Gives the place back. Nothing is ended afterwards. */
  readonly leave: () => void;
}

/**
 * Request bodies that are not whole yet, of senders whom nothing proves so far. Their number, bytes and time are bounded
 * together. When there is no room, the body that has been under way longest is ended: who sends promptly is never the
 * oldest for long, so that a real sender gets in however many others stand still.
 */
export class UnfinishedBodies {
  readonly #limits: UnfinishedLimits;
  /** The oldest first. */
  readonly #held = new Set<Held>();
  #bytes = 0;

  constructor(limits: UnfinishedLimits) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#held.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @param onEnded called at most once, when the body is given up; its bytes must be dropped then */
  enter(onEnded: (why: EndedBecause) => void): Seat {
    const held: Held = {
      bytes: 0,
      timer: setTimeout(() => {
        this.#end(held, 'late');
      }, this.#limits.milliseconds),
      onEnded,
    };
    this.#held.add(held);
    this.#makeRoom();
    return {
      hold: (bytes) => {
        if (!this.#held.has(held)) return;
        this.#bytes += bytes - held.bytes;
        held.bytes = bytes;
        this.#makeRoom();
      },
      leave: () => {
        this.#remove(held);
      },
    };
  }

  #makeRoom(): void {
    for (const oldest of this.#held) {
      if (this.#held.size <= this.#limits.bodies && this.#bytes <= this.#limits.bytes) return;
      this.#end(oldest, 'crowded');
    }
  }

  #end(held: Held, why: EndedBecause): void {
    if (this.#remove(held)) held.onEnded(why);
  }

  #remove(held: Held): boolean {
    clearTimeout(held.timer);
    this.#bytes -= this.#held.has(held) ? held.bytes : 0;
    return this.#held.delete(held);
  }
}

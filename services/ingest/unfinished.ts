/** Limits for the bodies that are being received at the same time. */
export interface UnfinishedLimits {
  readonly bodies: number;
  readonly bytes: number;
  /** How long one body may take from its first line to its last byte. */
  readonly milliseconds: number;
}

/** Why a body was given up: its place was needed for others, or its time was up. */
export type EndedBecause = 'crowded' | 'late';

interface Held {
  bytes: number;
  readonly timer: NodeJS.Timeout;
  readonly onEnded: (why: EndedBecause) => void;
}

/** The place of one body among those that are being received. */
export interface Seat {
  /** Sets how many bytes are held for the body now. This may end other bodies, or this one. */
  readonly hold: (bytes: number) => void;
  /** Gives the place back. `onEnded` is not called afterwards. */
  readonly leave: () => void;
}

/**
 * Request bodies that are not complete yet, whose senders are not authenticated. Their number, bytes and time are
 * limited together. When there is no room, the oldest body is ended. A sender that sends promptly never stays the
 * oldest for long, so real senders get in however many others stall.
 */
export class UnfinishedBodies {
  readonly #limits: UnfinishedLimits;
  /** Oldest first. */
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

  /** @param onEnded called at most once, when the body is given up; the caller must drop its bytes then */
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

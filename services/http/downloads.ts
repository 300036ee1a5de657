import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

export interface DownloadLimits {
  /** Downloads that may read from the ledger at the same time. */
  readonly running: number;
  /** Downloads that may wait; more are refused at once. */
  readonly waiting: number;
  readonly waiting_ms: number;
  /** How long a client may take for `PIECE_BYTES`. */
  readonly stalled_ms: number;
}

export const DOWNLOAD_LIMITS = {
  running: 4,
  waiting: 16,
  waiting_ms: 20_000,
  stalled_ms: 30_000,
} as const satisfies DownloadLimits;

/** Size of one write. It is small, so that a slow client can be told from one that takes nothing. */
const PIECE_BYTES = 64 * 1024;

/** Status and headers of an answer. */
export interface Head {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
}

/** How a download ended: `left` when the client closed the connection, `stalled` when it took nothing for too long. */
export type DownloadOutcome = 'sent' | 'left' | 'stalled' | 'busy' | 'failed';

/**
 * The downloads of a server. Each holds a query of the ledger open for as long as its client takes, so only a few run
 * at once. They never use the connections that pages read with.
 */
export class Downloads {
  readonly #limits: DownloadLimits;
  readonly #onEnded: (outcome: DownloadOutcome) => void;
  #running = 0;
  readonly #waiting = new Set<() => void>();

  /** @param onEnded called for every download that ended or was refused */
  constructor(limits: DownloadLimits, onEnded: (outcome: DownloadOutcome) => void) {
    this.#limits = limits;
    this.#onEnded = onEnded;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Sends `parts` when it is this download's turn. Nothing is read from `parts` before, and it is closed in the end.
   * @param head called for the first part, so that an earlier failure can still be answered as an error
   * @returns `busy` when nothing was sent because too many downloads are running; the caller then answers
   */
  async send(
    response: ServerResponse,
    head: OutgoingHttpHeaders | (() => Head),
    parts: AsyncGenerator<string | Buffer>,
  ): Promise<DownloadOutcome> {
    let outcome: DownloadOutcome = 'failed';
    try {
      const turn = await this.#turn(response);
      if (turn !== 'begun') return (outcome = turn);
      try {
        return (outcome = await this.#sendParts(response, head, parts));
      } finally {
        this.#endTurn();
      }
    } finally {
      this.#onEnded(outcome);
    }
  }

  async #turn(response: ServerResponse): Promise<'begun' | 'left' | 'busy'> {
    if (response.destroyed) return 'left';
    if (this.#running < this.#limits.running) {
      this.#running += 1;
      return 'begun';
    }
    if (this.#waiting.size >= this.#limits.waiting) return 'busy';
    return new Promise((resolve) => {
      const settle = (outcome: 'begun' | 'left' | 'busy'): void => {
        clearTimeout(timer);
        response.off('close', leave);
        this.#waiting.delete(begin);
        resolve(outcome);
      };
      const begin = (): void => {
        settle('begun');
      };
      const leave = (): void => {
        settle('left');
      };
      const timer = setTimeout(() => {
        settle('busy');
      }, this.#limits.waiting_ms);
      response.on('close', leave);
      this.#waiting.add(begin);
    });
  }

  /** The next turn goes to the download that has waited longest, so that a new one cannot overtake it. */
  #endTurn(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#running -= 1;
    else next();
  }

  async #sendParts(
    response: ServerResponse,
    head: OutgoingHttpHeaders | (() => Head),
    parts: AsyncGenerator<string | Buffer>,
  ): Promise<DownloadOutcome> {
    try {
      let part = await parts.next();
      if (response.destroyed) return 'left';
      const { status, headers } = typeof head === 'function' ? head() : { status: 200, headers: head };
      response.writeHead(status, headers);
      // A HEAD request is answered without a body.
      for (; part.done !== true && response.req.method !== 'HEAD'; part = await parts.next()) {
        const bytes = typeof part.value === 'string' ? Buffer.from(part.value) : part.value;
        for (let from = 0; from < bytes.length; from += PIECE_BYTES) {
          if (response.destroyed) return 'left';
          if (response.write(bytes.subarray(from, from + PIECE_BYTES))) continue;
          const taken = await this.#taken(response);
          if (taken !== 'sent') return taken;
        }
      }
      response.end();
      return 'sent';
    } finally {
      // Ends the query, however far it was read.
      await parts.return(undefined);
    }
  }

  /** Waits until the client has taken what was written. */
  #taken(response: ServerResponse): Promise<'sent' | 'left' | 'stalled'> {
    return new Promise((resolve) => {
      const settle = (outcome: 'sent' | 'left' | 'stalled'): void => {
        clearTimeout(timer);
        response.off('drain', take).off('close', leave);
        resolve(outcome);
      };
      const take = (): void => {
        settle('sent');
      };
      const leave = (): void => {
        settle('left');
      };
      const timer = setTimeout(() => {
        settle('stalled');
        response.destroy();
      }, this.#limits.stalled_ms);
      response.on('drain', take).on('close', leave);
    });
  }
}

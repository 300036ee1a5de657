import { Cron } from 'croner';
import { ActionableError } from '../clickhouse/errors.ts';

/** The times of repeated work: a cron expression of five fields in a zone. */
export interface Times {
  readonly cron: string;
  /** IANA zone. */
  readonly tz: string;
}

function cronOf(times: Times): Cron {
  try {
    // Paused: it starts when it is given its work.
    return new Cron(times.cron, { timezone: times.tz, mode: '5-part', paused: true });
  } catch (error) {
    throw new ActionableError(
      `The schedule "${times.cron}" cannot be read (${error instanceof Error ? error.message : String(error)}); use five fields like "15 * * * *".`,
    );
  }
}

/** @throws ActionableError when the expression cannot be read */
export function checkTimes(times: Times): void {
  cronOf(times).stop();
}

/** Does some work at once and then at its times. Two runs never overlap. */
export class Schedule {
  readonly #cron: Cron;
  readonly #work: () => Promise<void>;
  #running: Promise<void> | null = null;
  #isStopping = false;

  /** @param work handles its own failures: what failed is done at the next time */
  constructor(times: Times, work: () => Promise<void>) {
    this.#work = work;
    this.#cron = cronOf(times);
    this.#tick();
    this.#cron.schedule(() => {
      this.#tick();
    });
    this.#cron.resume();
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  #tick(): void {
    // If a run lasts past the next time, it counts for both.
    if (this.#isStopping || this.#running !== null) return;
    this.#running = this.#work().finally(() => {
      this.#running = null;
    });
  }

  /** Resolves when the current run has ended. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#cron.stop();
    await this.#running;
  }
}

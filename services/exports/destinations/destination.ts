import { readFileSync } from 'node:fs';
import { ActionableError } from '../../clickhouse/errors.ts';

/** An open connection to a storage, for the files of a run. */
export interface OpenStorage {
  /**
   * Stores a file as a whole: readers never see a part of it.
   * @param local path of the file
   * @param name below the folder of the destination
   */
  put(local: string, name: string): Promise<void>;
  /** The content of a file, bounded in memory; null when it is not there. */
  read(name: string): Promise<AsyncIterable<Uint8Array> | null>;
  close(): Promise<void>;
}

/** Secrets of a destination, from the environment: `CTWA_DESTINATION_<NAME>_…`, or `…_FILE` with the path of a file. */
export class Secrets {
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #prefix: string;
  readonly #read = new Set<string>();

  constructor(name: string, environment: Readonly<Record<string, string | undefined>>) {
    this.#environment = environment;
    this.#prefix = `CTWA_DESTINATION_${name.toUpperCase()}_`;
  }

  nameOf(what: string): string {
    return this.#prefix + what;
  }

  /** Null when it is not set. @throws ActionableError when the file that holds it cannot be read */
  get(what: string): string | null {
    const name = this.nameOf(what);
    const given = this.#environment[name];
    const path = this.#environment[`${name}_FILE`];
    if (given === undefined && path === undefined) return null;
    try {
      const secret = given ?? readFileSync(path ?? '', 'utf8').trim();
      if (secret !== '') this.#read.add(secret);
      return secret === '' ? null : secret;
    } catch (error) {
      throw new ActionableError(
        `${name}_FILE cannot be read (${error instanceof Error ? error.message : String(error)}).`,
      );
    }
  }

  /** A message of another program, without secrets that it may have repeated. */
  without(text: string): string {
    return [...this.#read].reduce((said, secret) => said.replaceAll(secret, '…'), text);
  }
}

/** The destination without its parameters, for messages. */
export function placeOf(to: string): string {
  return to.replace(/\?.*$/s, '');
}

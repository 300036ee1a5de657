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

/**
 * A storage that neither takes nor sends anything for so long counts as gone. What the system holds on its way to a slow one may
 * be some megabytes.
 */
const SILENT_SECONDS = 120;

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

  /** After how many milliseconds of silence a storage counts as gone: `…_SILENT_SECONDS`. @throws ActionableError for no number */
  get silentMs(): number {
    const name = this.nameOf('SILENT_SECONDS');
    const given = this.#environment[name];
    if (given === undefined) return SILENT_SECONDS * 1000;
    if (!/^[1-9]\d{0,3}$/.test(given))
      throw new ActionableError(`${name} is "${given}", which is not a whole number of seconds from 1 to 9999.`);
    return Number(given) * 1000;
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

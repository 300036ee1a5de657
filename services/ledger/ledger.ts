import type { Account, Config } from '@ctwa-ledger/schemas/config.ts';
import type { LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import { z } from 'zod';
import { compileRulebook } from '../lifecycle/rulebook.ts';
import { Backlog, type BacklogOptions, type LandedBacklog } from './threads/backlog.ts';
import {
  configurationHash,
  effectiveAccounts,
  isContested,
  isCurrent,
  readCommandAccounts,
  readConfiguration,
  settingsGiven,
  writeCommandAccount,
  writeConfiguration,
  type Configuration,
  type Settings,
} from './configuration/configuration.ts';
import { Database, type Location, type Parameters } from '../clickhouse/database.ts';
import {
  ConfigurationChangedError,
  LedgerAwayError,
  ActionableError,
  LedgerNotThereError,
} from '../clickhouse/errors.ts';
import { readFact, writeFact } from './configuration/facts.ts';
import type { Position } from './events/dead-letters.ts';
import { ErasedNames } from './events/erased-names.ts';
import { checkNobodyErases } from './events/erasing.ts';
import { NOTED_KEYS } from './events/keys.ts';
import {
  LIVE_EVENTS,
  Landing,
  newLandingNumber,
  type Gone,
  type Ground,
  type LandingNumber,
  type PutAside,
} from './events/landing.ts';
import { checkNobodyRemoves, RemovedEvents } from './events/removed-events.ts';
import { LiveFold, type LiveLandings, type LiveOptions, type Standing } from './threads/live-fold.ts';
import type { Footing } from './marks/marks.ts';
import { checkSchema, migrate } from '../clickhouse/migrations.ts';
import { leftLandings, OwedLandings, touchAgain } from './events/owed-landings.ts';
import { newProcessName } from '../clickhouse/processes.ts';
import { otherWriters, Writer } from './events/writers.ts';
import { WritingPause } from './events/writing-pause.ts';

export interface OpenOptions {
  readonly location: Location;
  /** Database of the ledger. */
  readonly database: string;
  /** What the configuration file says; null when there is none: then what the ledger holds stays. */
  readonly config: Config | null;
  /** The command line, which names this process to others. */
  readonly command: string;
  /** Threads re-folded so far, while a changed configuration is applied. */
  readonly onProgress?: (threads: number) => void;
}

export interface FoldOptions extends Pick<BacklogOptions, 'emitter' | 'onProgress'> {
  /** Called when the marks of live landings can be read in the ledger: before they are emitted, and perhaps again. */
  readonly onMarked?: () => void;
}

export interface RecordOptions extends FoldOptions {
  /** Takes the events that ClickHouse refuses; without it one of them fails the batch. */
  readonly putAside?: PutAside;
  /** Where each of those came from. */
  readonly origin?: Position;
}

/** The epoch whose rebuild has gone through all threads. */
const FOLDED_EPOCH = 'folded_epoch';

/** Two for each download that a server sends at once: some reports ask two things at the same time. */
const DOWNLOAD_CONNECTIONS = 8;

/** Rebuilds that are repeated because the engine was replaced in the middle. */
const ATTEMPTS = 8;

/** A ledger: events in, marks out (the design's order: land, fold, marks, check). */
export class Ledger {
  readonly database: Database;
  /** The same database for what is shown and handed out: as the user that may only read, where the location has one. */
  readonly reading: Database;
  /**
   * The same for downloads, with connections of their own: a reader who takes nothing holds its connection, and pages
   * must not wait for that.
   */
  readonly downloads: Database;
  readonly #command: string;
  /** Makes this process known to others. */
  readonly #name = newProcessName();
  #configuration: Configuration;
  #writer: Writer | null = null;
  /** While this process writes nothing is erased, and nothing removed by others. */
  #gone: Gone = { erased: null, removed: null };
  readonly #ground: Ground = { gone: () => this.#gone, pause: new WritingPause(), backlogs: new Set() };
  readonly #live: LiveFold;
  readonly #owed: OwedLandings;
  /** Landings whose sender was told that they are kept, and that are not folded. */
  readonly #promised = new Set<LandingNumber>();

  private constructor(database: Database, command: string, configuration: Configuration) {
    this.database = database;
    const { location, name } = database;
    const hasReader = location.kind === 'server' && location.reader !== undefined;
    this.reading = hasReader ? new Database(location, name, 'reader') : database;
    this.downloads = new Database(location, name, hasReader ? 'reader' : 'own', DOWNLOAD_CONNECTIONS);
    this.#command = command;
    this.#configuration = configuration;
    this.#live = new LiveFold(database);
    this.#owed = new OwedLandings(database, this.#name);
  }

  /**
   * Opens a ledger, creating it when it is new, and applies the configuration that the command was given: marks that it
   * changes are re-folded first.
   * @throws ActionableError when another process writes under another configuration, or the ledger is of a newer version
   */
  static async open(options: OpenOptions): Promise<Ledger> {
    const database = new Database(options.location, options.database);
    try {
      await database.create();
      await migrate(database);
      const ledger = new Ledger(database, options.command, await Ledger.#firstConfiguration(database));
      await ledger.#apply(options.config, options.onProgress);
      await ledger.#readGone();
      return ledger;
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  /**
   * Opens a ledger that others write, to read it: nothing is created, brought up to date or re-folded.
   * @throws LedgerNotThereError when there is none yet, or not one that this version can read
   */
  static async openExisting(options: Pick<OpenOptions, 'location' | 'database' | 'command'>): Promise<Ledger> {
    const database = new Database(options.location, options.database);
    try {
      if (!(await database.exists()))
        throw new LedgerNotThereError(
          `The ledger "${database.name}" does not exist yet. A command that writes creates it, consume or ingest for instance.`,
        );
      await checkSchema(database);
      const configuration = await readConfiguration(database);
      if (configuration === null)
        throw new LedgerNotThereError(`The ledger "${database.name}" is being created by another process.`);
      return new Ledger(database, options.command, configuration);
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  static async #firstConfiguration(database: Database): Promise<Configuration> {
    const known = await readConfiguration(database);
    if (known !== null) return known;
    const settings = settingsGiven(null, null);
    const accounts = effectiveAccounts(settings.file_accounts, await readCommandAccounts(database));
    await writeConfiguration(database, 1n, configurationHash(accounts, settings.policy), settings);
    const written = await readConfiguration(database);
    if (written === null)
      throw new ActionableError('The ledger does not keep its configuration. Check that its tables can be written.');
    return written;
  }

  get configuration(): Configuration {
    return this.#configuration;
  }

  get accounts(): readonly Account[] {
    return this.#configuration.accounts;
  }

  #footing(): Footing {
    const { epoch, accounts, settings } = this.#configuration;
    return { epoch, rulebook: compileRulebook(accounts, settings.policy) };
  }

  /** Applies what the command was given, and finishes what an interrupted change left undone. */
  async #apply(given: Config | null, onProgress?: (threads: number) => void, account?: Account): Promise<void> {
    await this.#adopt(given, account);
    if ((await readFact(this.database, FOLDED_EPOCH)) !== this.#configuration.epoch.toString())
      await this.#rebuild(onProgress);
  }

  async #adopt(given: Config | null, account: Account | null = null): Promise<void> {
    // Read anew: another process may have raised the epoch since, and what is written below a higher one does not
    // count.
    const current = (await readConfiguration(this.database)) ?? this.#configuration;
    this.#configuration = current;
    const settings = settingsGiven(current.settings, given);
    const byCommand = (await readCommandAccounts(this.database)).filter((known) => known.waba_id !== account?.waba_id);
    const accounts = effectiveAccounts(settings.file_accounts, account === null ? byCommand : [...byCommand, account]);
    const hash = configurationHash(accounts, settings.policy);
    if (hash === current.hash) {
      if (account !== null) await writeCommandAccount(this.database, account);
      if (JSON.stringify(settings) !== JSON.stringify(current.settings)) {
        await writeConfiguration(this.database, current.epoch, hash, settings);
        this.#configuration = { ...current, settings, accounts };
      }
      return;
    }
    const others = await otherWriters(this.database, hash, this.#writer);
    if (others.length > 0)
      throw new ActionableError(
        `The ledger is being written under another configuration by ${others.join(', ')}. Stop it, or run this command with the same configuration.`,
      );
    // Kept only now that nothing speaks against it: a refused account must not stay behind.
    if (account !== null) await writeCommandAccount(this.database, account);
    await this.#raiseEpoch(hash, settings);
  }

  /**
   * Marks of different configurations must not share a version: a process that finds its epoch taken takes a higher
   * one.
   */
  async #raiseEpoch(hash: string, settings: Settings): Promise<void> {
    let { epoch } = this.#configuration;
    do await writeConfiguration(this.database, (epoch += 1n), hash, settings);
    while (await isContested(this.database, epoch));
    this.#configuration = (await readConfiguration(this.database)) ?? this.#configuration;
  }

  /** Goes on under the configuration that another process gave the ledger. */
  async takeOver(): Promise<void> {
    const now = await readConfiguration(this.database);
    if (now === null) return;
    this.#configuration = now;
    await this.#writer?.adopt(now.hash);
  }

  /** Keeps an account and re-folds what it changes. */
  async setAccount(account: Account, onProgress?: (threads: number) => void): Promise<void> {
    await this.#ground.pause.writing(() => this.#apply(null, onProgress, account));
  }

  /**
   * Makes this process known as a writer, and folds what writers left behind that are gone; call before the first
   * landing, and `close` at the end.
   */
  async beginWriting(): Promise<void> {
    if (this.#writer !== null) return;
    this.#writer = new Writer(this.database, this.#name, this.#command, this.#configuration.hash);
    await this.#writer.enter();
    try {
      await checkNobodyErases(this.database);
      await checkNobodyRemoves(this.database);
    } catch (error) {
      await this.#writer.leave();
      this.#writer = null;
      throw error;
    }
    await this.#readGone();
    await this.#foldLeft();
  }

  async #readGone(): Promise<void> {
    const [erased, removed] = await Promise.all([ErasedNames.read(this.database), RemovedEvents.read(this.database)]);
    this.#gone = { erased, removed };
  }

  /**
   * For processes that take in live traffic: reads the threads that it is likely to touch. On a large ledger the first
   * batches would take longer than new ones take to come.
   * @returns resolves when they are read, or cannot be
   */
  readAhead(): Promise<void> {
    return this.#live.readAhead();
  }

  /** Whether this process lands or folds a backlog. */
  get hasBacklog(): boolean {
    return this.#ground.backlogs.size > 0;
  }

  /**
   * Begins a landing of any size; add events to it, then `fold` it.
   * @param putAside takes the events that ClickHouse refuses; null = one of them fails the landing
   */
  beginLanding(putAside: PutAside | null = null): Landing {
    return new Landing(this.database, 0, putAside, this.#ground);
  }

  /**
   * The same for live traffic, in batches that fit in memory: the threads that it touches are remembered.
   * @param mostKept a landing of more events is a backlog
   */
  beginLiveLanding(putAside: PutAside | null = null, mostKept = LIVE_EVENTS): Landing {
    return new Landing(this.database, mostKept, putAside, this.#ground);
  }

  /**
   * Makes a landing final: waits until its events are stored, derives the marks of every thread that they touched, and
   * checks that the ground they were derived on still holds.
   * @param options.emitter is told of every mark of a touched thread that was not emitted at its version, once the ledger has it
   * @returns how many of its events were new; the others were duplicates
   * @throws ConfigurationChangedError when the ledger was given another configuration meanwhile: open it again
   */
  async fold(landing: Landing, options: FoldOptions = {}): Promise<{ readonly stored: number }> {
    return this.foldTogether([landing], options);
  }

  /** The same for several landings: a thread that many of them touch is folded once. */
  async foldTogether(landings: readonly Landing[], options: FoldOptions = {}): Promise<{ readonly stored: number }> {
    try {
      return await this.#foldTogether(landings, options);
    } finally {
      for (const landing of landings) landing.leave();
    }
  }

  async #foldTogether(landings: readonly Landing[], options: FoldOptions): Promise<{ readonly stored: number }> {
    // What is known of a landing before it is finished must hold.
    for (const landing of landings) if (landing.isDoubtful) await landing.settle();
    const finished = Promise.all(landings.map((landing) => landing.finish()));
    const some = landings.filter((landing) => landing.events > 0);
    let stored = 0;
    const live = some.filter(({ kept }) => kept !== null);
    let left = some.filter(({ kept }) => kept === null);
    this.#live.release(left.map(({ number }) => number));
    if (live.length > 0) {
      const found = await this.#foldLive(
        {
          numbers: live.map(({ number }) => number),
          events: live.flatMap(({ kept }) => kept ?? []),
          // Events of which ClickHouse refused some are not kept.
          stored: finished.then(() => live.every(({ kept }) => kept !== null)),
        },
        {
          emitter: options.emitter ?? null,
          footing: () => this.#footing(),
          stillHolds: (now) => this.#holds(now),
          onMarked: options.onMarked,
        },
      );
      if (found === null) left = some;
      else stored += found;
    }
    await finished;
    for (const { number, hasNameless, blocks } of left)
      stored += (await this.#derive({ landing: number, hasNameless, blocks }, options)).stored;
    for (const { number } of some) if (this.#promised.delete(number)) this.#owed.paid(number);
    return { stored };
  }

  /** Folds live landings. Those that nobody will fold again if that fails are given up. */
  async #foldLive(landings: LiveLandings, options: LiveOptions): Promise<number | null> {
    try {
      return await this.#live.fold(landings, options);
    } catch (error) {
      this.#live.giveUp(landings.numbers.filter((number) => !this.#promised.has(number)));
      throw error;
    }
  }

  /**
   * Begins to store the events that were added to a live landing, while batches before it may still be folded. Then fold it,
   * or give it up.
   */
  async land(landing: Landing): Promise<void> {
    if (landing.isDoubtful) await landing.settle();
    if (landing.events === 0) return;
    this.#live.expect(landing.number);
    // Whoever folds it gets the error.
    landing.finish().catch(() => undefined);
  }

  /** A landing that is not folded: its events come again. Resolves when they are in the ledger, or will not be. */
  async giveUp(landing: Landing): Promise<void> {
    await landing.finish().catch(() => undefined);
    landing.leave();
    // One that is still doubtful was not expected.
    this.#live.giveUp(landing.events > 0 && !landing.isDoubtful ? [landing.number] : []);
  }

  /**
   * Lands the events that were added, so that their sender can be told that they are kept. If this process ends before
   * it has folded the landing, the next writer does it.
   */
  async promise(landing: Landing): Promise<void> {
    try {
      await this.land(landing);
      if (landing.events === 0) {
        landing.leave();
        return;
      }
      this.#promised.add(landing.number);
      await Promise.all([this.#owed.owe(landing.number), landing.finish()]);
    } catch (error) {
      if (landing.events > 0 && !landing.isDoubtful) this.#promised.delete(landing.number);
      await this.giveUp(landing);
      throw error;
    }
  }

  /** Other processes that write, described for a person. */
  othersThatWrite(): Promise<string[]> {
    return otherWriters(this.database, '', this.#writer);
  }

  /**
   * Works while this process lands and folds nothing, and forgets what it remembers of threads. What comes meanwhile waits.
   * @returns what the work gives, or null when something was being written for too long
   */
  pauseWriting<T>(work: () => Promise<T>): Promise<{ readonly value: T } | null> {
    return this.#ground.pause.during(() =>
      this.#live.alone(async () => {
        const value = await work();
        await this.#readGone();
        return value;
      }),
    );
  }

  /**
   * Folds and links threads of which a process that ended may have left events unfolded.
   * @param where a condition on `events`
   */
  async foldAgain(where: string, parameters: Parameters): Promise<void> {
    await this.#derive({ landing: await this.#touch(where, parameters), hasNameless: true, blocks: null }, {});
  }

  /**
   * Lists the threads of stored events as touched by a landing of their own.
   * @param where a condition on `events`
   */
  async #touch(where: string, parameters: Parameters): Promise<LandingNumber> {
    const landing = newLandingNumber();
    await this.database.command(
      `INSERT INTO touched (landing, phone_number_id, customer, nameless_id, message_key)
       SELECT DISTINCT {landing:UInt64}, phone_number_id, customer, if(customer = '', id, ''), arrayJoin(${NOTED_KEYS})
       FROM events WHERE ${where}`,
      { ...parameters, landing: landing.toString() },
    );
    return landing;
  }

  /** Folds the landings that ended writers left behind. */
  async #foldLeft(): Promise<void> {
    const left = await leftLandings(this.database);
    if (left.length === 0) return;
    await this.#derive({ landing: await touchAgain(this.database, left), hasNameless: true, blocks: null }, {});
    for (const landing of left) this.#owed.paid(landing);
    await this.#owed.flush();
  }

  /** Lands a batch and folds it; the batch is durable and marked when this resolves. */
  async record(events: readonly LedgerEvent[], options: RecordOptions = {}): Promise<{ readonly stored: number }> {
    const landing = this.beginLiveLanding(options.putAside);
    for (const event of events) await landing.add(event, options.origin);
    return this.fold(landing, options);
  }

  /** Derives the marks of all threads that a landing of any size touched. */
  async #derive(landed: LandedBacklog, options: BacklogOptions): Promise<{ readonly stored: number }> {
    for (let attempt = 1; ; attempt++) {
      try {
        const result = await new Backlog(this.database, landed, this.#footing(), options).run();
        if (await this.#stillHolds()) return result;
      } catch (error) {
        // What was folded already is found done, so starting again costs little.
        if (!(error instanceof LedgerAwayError) || attempt >= ATTEMPTS) throw error;
      }
    }
  }

  /** After writing: whether epoch and configuration are those that were folded under. A newer epoch is taken over. */
  async #stillHolds(): Promise<boolean> {
    const { epoch, hash } = this.#configuration;
    return (await isCurrent(this.database, epoch, hash)) || this.#adoptNewer();
  }

  /** The same, where the ledger was asked already. */
  async #holds(now: Standing): Promise<boolean> {
    const { epoch, hash } = this.#configuration;
    return (now.epoch === epoch.toString() && now.hash === hash) || this.#adoptNewer();
  }

  /** @returns whether there was nothing to take over */
  async #adoptNewer(): Promise<boolean> {
    const now = await readConfiguration(this.database);
    if (now === null) return true;
    if (now.hash !== this.#configuration.hash)
      throw new ConfigurationChangedError(
        'The configuration of the ledger was changed by another process while this one wrote. What was landed is safe; run this command again.',
      );
    this.#configuration = now;
    return false;
  }

  /**
   * Derives all marks anew from the landed events. Raises the epoch first, so that no mark of before can win; a rebuild
   * that was interrupted goes on where it stopped when the next one is asked to `resume`.
   */
  rebuild(onProgress?: (threads: number) => void, options: { readonly raiseEpoch?: boolean } = {}): Promise<void> {
    return this.#ground.pause.writing(() => this.#rebuild(onProgress, options));
  }

  async #rebuild(
    onProgress?: (threads: number) => void,
    options: { readonly raiseEpoch?: boolean } = {},
  ): Promise<void> {
    const now = await readConfiguration(this.database);
    if (now !== null) this.#configuration = now;
    if (options.raiseEpoch === true) await this.#raiseEpoch(this.#configuration.hash, this.#configuration.settings);
    const landing = await this.#touch('true', {});
    await this.#writer?.adopt(this.#configuration.hash);
    await this.#derive({ landing, hasNameless: true, blocks: null }, { onProgress });
    await writeFact(this.database, FOLDED_EPOCH, this.#configuration.epoch.toString());
  }

  /** Throws when the ledger does not answer the user that writes, or the one that reads. */
  async checkReachable(): Promise<void> {
    const answer = z.object({ version: z.number() });
    for (const database of new Set([this.database, this.reading]))
      await database.query(answer, 'SELECT max(version) AS version FROM migrations');
  }

  async close(): Promise<void> {
    await this.#live.close();
    await this.#owed.flush().catch(() => undefined);
    await this.#writer?.leave().catch(() => undefined);
    await this.downloads.close();
    if (this.reading !== this.database) await this.reading.close();
    await this.database.close();
  }
}

import { readdirSync, readFileSync } from 'node:fs';
import { DateTime } from 'luxon';
import { parseEvent } from '@ctwa-ledger/schemas/event.ts';
import type { Database } from '../clickhouse/database.ts';
import { type Location } from '../clickhouse/database.ts';
import { readFact, writeFact } from '../ledger/configuration/facts.ts';
import { Ledger } from '../ledger/ledger.ts';
import { settleSummaries } from '../ledger/derived/summaries.ts';
import { otherWriters } from '../ledger/events/writers.ts';
import { settleCharges } from '../rating/charges.ts';
import { importRateFile } from '../rating/rate-cards.ts';
import { SAMPLE_ACCOUNTS, simulate } from '../simulate/simulate.ts';
import { simulateSpend } from '../simulate/spend.ts';
import { importSpendFile } from '../spend/spend.ts';

/** Gives a quarter with about 200,000 messages. */
const THREADS = 17_800;
const DAYS = 90;
const SEED = 20_261;
/** Fact: the sample is complete, with its prices and the cost of its ads. */
const COMPLETE = 'sample_with_spend';
/**
 * Fact: the end of the simulated quarter, Unix seconds. A process that finds the sample unfinished continues with the
 * same events.
 */
const END_AT = 'sample_end_at';
/** An unfinished sample whose quarter ended more seconds ago is started again. */
const STALE_SECONDS = 86_400;
/** How often to check whether another process has finished the sample. */
const LOOK_EVERY_MS = 250;
/** Fact in the real ledger: a user has removed the sample, so it is not loaded again. */
const DISMISSED = 'sample_dismissed';

/** The name of the sample's database, beside the ledger's. */
function sampleDatabase(database: string): string {
  return `${database}_sample`;
}

/** Whether a user has removed the sample data, here or with `--empty`. */
export async function isSampleDismissed(ledger: Database): Promise<boolean> {
  return (await readFact(ledger, DISMISSED)) === 'true';
}

/** Lets the sample data be made again after it was removed. */
export async function recallSample(ledger: Database): Promise<void> {
  await writeFact(ledger, DISMISSED, 'false');
}

/** Removes the sample data. It is not made again by itself. */
export async function dismissSample(ledger: Database): Promise<void> {
  await writeFact(ledger, DISMISSED, 'true');
  await ledger.command(`DROP DATABASE IF EXISTS ${sampleDatabase(ledger.name)}`);
}

/** Imports invented prices, whose names say so. File names end with the day from which they are in force. */
async function importPrices(sample: Database): Promise<void> {
  const directory = new URL('rates/', import.meta.url);
  for (const name of readdirSync(directory).sort())
    await importRateFile(sample, {
      name,
      bytes: readFileSync(new URL(name, directory)),
      effective: name.slice(-'YYYY-MM-DD.csv'.length, -'.csv'.length),
      model: 'message',
      by: 'sample data',
    });
}

/** Imports invented costs of the ads, whose names say so, in the form of Ads Manager's exports. */
async function importSpend(sample: Database, end_at: number): Promise<void> {
  for (const { name, text } of simulateSpend({ days: DAYS, seed: SEED, end_at }))
    await importSpendFile(sample, { name, bytes: Buffer.from(text), by: 'sample data' });
}

/** Whether the sample is complete. Waits while another process writes it. */
async function isComplete(sample: Database): Promise<boolean> {
  for (;;) {
    // Read first: a process that no longer writes may have finished in between.
    const isBeingWritten = (await otherWriters(sample, '')).length > 0;
    if ((await readFact(sample, COMPLETE)) === 'true') return true;
    if (!isBeingWritten) return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/**
 * Opens the sample data. Simulates it first if it is missing or unfinished. Several processes that start at the same
 * moment land the same events, which are kept once.
 * @param nowSeconds the simulated quarter ends at the last full hour before this, Unix seconds
 */
export async function openSample(location: Location, database: string, nowSeconds: number): Promise<Ledger> {
  const options = {
    location,
    database: sampleDatabase(database),
    config: { accounts: [...SAMPLE_ACCOUNTS] },
    command: 'sample data',
  };
  let ledger = await Ledger.open(options);
  if (await isComplete(ledger.database)) return ledger;
  let endAt = await readFact(ledger.database, END_AT);
  if (endAt !== null && nowSeconds - Number(endAt) > STALE_SECONDS) {
    await ledger.database.command(`DROP DATABASE ${options.database}`);
    await ledger.close();
    ledger = await Ledger.open(options);
    endAt = null;
  }
  const end_at = Number(endAt ?? DateTime.fromSeconds(nowSeconds, { zone: 'utc' }).startOf('hour').toSeconds());
  try {
    if (endAt === null) await writeFact(ledger.database, END_AT, String(end_at));
    await ledger.beginWriting();
    const landing = ledger.beginLanding();
    let sinceBreath = 0;
    for (const line of simulate({ threads: THREADS, days: DAYS, seed: SEED, end_at })) {
      const parsed = parseEvent(JSON.parse(line), nowSeconds);
      if (!parsed.ok)
        throw new TypeError(`The simulator made an event that cannot be used: ${parsed.rejection.message}`);
      const waiting = landing.add(parsed.event);
      if (waiting !== undefined) await waiting;
      // Lets the process answer requests: a user may be looking at the page that says "loading".
      if (++sinceBreath % 2_000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await ledger.fold(landing);
    await importPrices(ledger.database);
    await importSpend(ledger.database, end_at);
    await settleSummaries(ledger.database);
    await settleCharges(ledger.database);
    await writeFact(ledger.database, COMPLETE, 'true');
  } finally {
    // Closed whether written or given up, so that no process waits for this one. From now on the sample is only read.
    await ledger.close();
  }
  return Ledger.open(options);
}

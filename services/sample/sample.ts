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

/** A quarter of about 200,000 messages. */
const THREADS = 17_800;
const DAYS = 90;
const SEED = 20_261;
/** With its prices, and what its ads cost. */
const COMPLETE = 'sample_with_spend';
/** When the simulated quarter ends, Unix seconds: who finds the sample unfinished goes on with the same events. */
const END_AT = 'sample_end_at';
/** An unfinished sample whose quarter ended longer ago than this, in seconds, is begun anew. */
const STALE_SECONDS = 86_400;
/** How often is looked whether another process has finished the sample. */
const LOOK_EVERY_MS = 250;
/** Kept in the real ledger once the sample was sent away: it does not come back by itself. */
const DISMISSED = 'sample_dismissed';

/** The sample data has a database of its own, beside the ledger's. */
function sampleDatabase(database: string): string {
  return `${database}_sample`;
}

/** Whether somebody sent the sample data away, here or by starting with `--empty`. */
export async function isSampleDismissed(ledger: Database): Promise<boolean> {
  return (await readFact(ledger, DISMISSED)) === 'true';
}

/** Removes the sample data for good. */
export async function dismissSample(ledger: Database): Promise<void> {
  await writeFact(ledger, DISMISSED, 'true');
  await ledger.command(`DROP DATABASE IF EXISTS ${sampleDatabase(ledger.name)}`);
}

/** Invented prices, which say so; file names end with the day from which they are in force. */
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

/** Invented costs of the ads, which say so, as exports of Ads Manager would have them. */
async function importSpend(sample: Database, end_at: number): Promise<void> {
  for (const { name, text } of simulateSpend({ days: DAYS, seed: SEED, end_at }))
    await importSpendFile(sample, { name, bytes: Buffer.from(text), by: 'sample data' });
}

/** Whether the sample is there; waits as long as another process is at it. */
async function isComplete(sample: Database): Promise<boolean> {
  for (;;) {
    // Asked first: who is no more at it may have finished.
    const isBeingWritten = (await otherWriters(sample, '')).length > 0;
    if ((await readFact(sample, COMPLETE)) === 'true') return true;
    if (!isBeingWritten) return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/**
 * Opens the sample data, simulating it first where it is missing or was left half-written. Should several processes begin
 * at the same moment, they land the same events, and those are kept once.
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
      // Requests are answered meanwhile: somebody is looking at the page that says "loading".
      if (++sinceBreath % 2_000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await ledger.fold(landing);
    await importPrices(ledger.database);
    await importSpend(ledger.database, end_at);
    await settleSummaries(ledger.database);
    await settleCharges(ledger.database);
    await writeFact(ledger.database, COMPLETE, 'true');
  } finally {
    // Written or given up: who waits for this process waits no longer, and from now on the sample is only read.
    await ledger.close();
  }
  return Ledger.open(options);
}

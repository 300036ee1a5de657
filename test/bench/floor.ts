/**
 * The floor that the ledger is measured against: the embedded ClickHouse alone loads the same file into one typed table,
 * and folds it once, roughly, in SQL. Nothing is validated, normalised, told apart or kept for later.
 *
 * Run as `node --import tsx floor.ts EVENTS.ndjson EMPTY_DIR`; prints the seconds.
 */
import { Session } from 'chdb';

const [file = '', dir = ''] = process.argv.slice(2);

/** The columns as they are kept; in the file those that repeat are plain strings. */
const KEPT = `event LowCardinality(String), direction LowCardinality(String), waba_id LowCardinality(String),
  phone_number_id LowCardinality(String), wa_id String, id String, status LowCardinality(String),
  timestamp DateTime('UTC'), type LowCardinality(String), template Tuple(name String, category String),
  referral Tuple(source_type String, source_id String, source_url String, headline String, ctwa_clid String),
  pricing Tuple(type String, category String, billable Bool), device String`;
const IN_FILE = KEPT.replaceAll('LowCardinality(String)', 'String');

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/**
 * Messages of each thread in the order of delivery: one inside an open window is free; one within a day of an entry opens
 * a window of three days; all others are charged.
 */
const FOLD = `
  WITH
      messages AS
      (
          SELECT phone_number_id, wa_id, id, any(direction) AS way, any(referral.source_type) AS source,
              minIf(timestamp, event = 'message') AS written_at, minIf(timestamp, status = 'sent') AS sent_at,
              minIf(timestamp, status IN ('delivered', 'read', 'played')) AS delivered_at
          FROM events GROUP BY phone_number_id, wa_id, id
      ),
      threads AS
      (
          SELECT arraySort(groupArrayIf(written_at, source != '' AND way = 'inbound')) AS entries,
              arraySort(one -> one.1,
                  groupArrayIf((delivered_at, if(written_at > 0, written_at, sent_at), id), delivered_at > 0)) AS delivered
          FROM messages GROUP BY phone_number_id, wa_id
      ),
      folded AS
      (
          SELECT arrayFold(
              (state, one) -> multiIf(
                  state.1 <= one.1 AND one.1 < state.2, (state.1, state.2, arrayPushBack(state.3, (one.3, 1))),
                  arrayExists(entry -> one.2 >= entry AND one.2 - entry <= 86400, entries),
                  (one.1, one.1 + 259200, arrayPushBack(state.3, (one.3, 1))),
                  (state.1, state.2, arrayPushBack(state.3, (one.3, 0)))),
              delivered, (toDateTime(0, 'UTC'), toDateTime(0, 'UTC'), CAST([], 'Array(Tuple(String, UInt8))'))).3 AS marks
          FROM threads
      )
  SELECT sum(length(marks)), sum(arraySum(mark -> mark.2, marks)) FROM folded`;

const session = new Session(dir);
session.query('CREATE DATABASE floor');
session.query('USE floor');
session.query(`CREATE TABLE events (${KEPT}) ENGINE = MergeTree ORDER BY (phone_number_id, wa_id, timestamp, id)`);
const began = performance.now();
session.query(
  `INSERT INTO events SELECT * FROM file(${quoted(file)}, JSONEachRow, ${quoted(IN_FILE)})
   SETTINGS input_format_skip_unknown_fields = 1`,
);
session.query(FOLD, 'CSV');
process.stdout.write(`${((performance.now() - began) / 1000).toFixed(3)}\n`);
// The engine's threads would hold the process.
process.exit(0);

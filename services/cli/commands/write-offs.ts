import { readNewWriteOff, readWriteOffUndo, type WriteOffOutcome } from '@ctwa-ledger/schemas/write-offs.ts';
import { settleCharges } from '../../rating/charges.ts';
import { listWriteOffs, makeWriteOff, undoWriteOff } from '../../reconciliation/write-off-register.ts';
import { withExistingLedger } from '../open.ts';
import { writeLines } from '../output.ts';
import { UsageError, type CommonOptions } from '../settings.ts';
import { userName } from '../user.ts';

export interface WriteOffMakeOptions extends CommonOptions {
  readonly month: string;
  readonly waba: string;
  readonly case?: string;
  readonly row?: readonly string[];
  readonly reason: string;
  readonly note: string;
}

export interface WriteOffUndoOptions extends CommonOptions {
  readonly note: string;
}

function write({ outcome, write_off }: WriteOffOutcome): void {
  writeLines([{ ...write_off, outcome }]);
  if (outcome === 'unchanged') process.stderr.write(`${write_off.write_off_id} was entered before: nothing changes.\n`);
}

/** Writes off rows. Prints one JSON object. */
export async function writeOffsMake(options: WriteOffMakeOptions): Promise<void> {
  const { month, waba: waba_id, case: explanation, row: rows, reason, note } = options;
  const asked = readNewWriteOff({
    ...{ waba_id, month, reason, note, by: userName() },
    ...(explanation === undefined ? {} : { explanation }),
    ...(rows === undefined ? {} : { rows }),
  });
  if (typeof asked === 'string') throw new UsageError(asked);
  await withExistingLedger('write-offs make', options, async ({ database }) => {
    await settleCharges(database);
    write(await makeWriteOff(database, asked));
  });
}

/** Undoes a write-off. Prints one JSON object. */
export async function writeOffsUndo(write_off_id: string, options: WriteOffUndoOptions): Promise<void> {
  const asked = readWriteOffUndo({ action: 'undo', note: options.note, by: userName() });
  if (typeof asked === 'string') throw new UsageError(asked);
  await withExistingLedger('write-offs undo', options, async ({ database }) => {
    write(await undoWriteOff(database, write_off_id, asked));
  });
}

/** Prints one JSON object per write-off, those that were undone included. */
export async function writeOffsList(options: CommonOptions): Promise<void> {
  await withExistingLedger('write-offs list', options, async ({ database }) => {
    writeLines(await listWriteOffs(database));
  });
}

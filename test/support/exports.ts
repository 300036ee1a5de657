import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEvent, type LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import { exportDefinition, type ExportDefinition } from '@ctwa-ledger/schemas/exports.ts';
import { addSchedule, listSchedules, setScheduleState } from '../../services/exports/schedules.ts';
import { manifestSchema, type Manifest } from '../../services/exports/manifest.ts';
import { Exports, type EndedRun } from '../../services/exports/runner.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';

/** 2026-11-20T10:00:00Z. */
export const NOW = 1_795_168_800;

/** A message that is known from its delivery alone. @param at Unix seconds */
export function delivered(id: string, at: number): LedgerEvent {
  const parsed = parseEvent(
    {
      event: 'status',
      phone_number_id: '106540352242922',
      wa_id: '16505551234',
      id,
      status: 'delivered',
      timestamp: String(at),
      pricing: { billable: true, pricing_model: 'PMP', type: 'regular', category: 'marketing' },
    },
    Math.max(NOW, at),
  );
  if (!parsed.ok) throw new Error(parsed.rejection.message);
  return parsed.event;
}

/** A directory for exports, and what was run into it. */
export class Place {
  readonly directory: string;
  readonly ended: EndedRun[] = [];
  readonly exports: Exports;

  constructor({ database, reading }: Ledger, directory: string) {
    mkdirSync(directory);
    this.directory = directory;
    this.exports = new Exports({
      ledger: { database, reading },
      directory,
      onRun: (_, run) => this.ended.push(run),
    });
  }

  files(folder: string): string[] {
    return readdirSync(join(this.directory, folder)).sort();
  }

  read(file: string): Buffer {
    return readFileSync(join(this.directory, file));
  }

  manifest(file: string): Manifest {
    return manifestSchema.parse(JSON.parse(this.read(`${file}.manifest.json`).toString('utf8')));
  }
}

/**
 * Makes a schedule the only one of a ledger.
 * @param since Unix seconds: it is due from then on
 */
export async function onlySchedule(
  ledger: Ledger,
  directory: string,
  given: Partial<ExportDefinition> & { readonly name: string },
  since: number,
): Promise<Place & { readonly name: string }> {
  for (const { definition } of await listSchedules(ledger.database))
    await setScheduleState(ledger.database, definition.name, 'removed', 'a test', NOW);
  const definition = { report: 'messages', when: 'every day 06:00', period: 'yesterday', ...given };
  await addSchedule(ledger.database, exportDefinition.parse(definition), 'a test', since);
  return Object.assign(new Place(ledger, directory), { name: given.name });
}

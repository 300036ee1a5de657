// Brings in what `event.platform` holds under this adapter.
import '@sveltejs/adapter-node';

import type { About } from '@ctwa-ledger/schemas/about.ts';
import type { Changes } from '@ctwa-ledger/schemas/changes.ts';
import type { ProcessFigures } from '@ctwa-ledger/schemas/health.ts';
import type { Reports } from '@ctwa-ledger/schemas/reports.ts';

import type { FilterState, Repair } from '$lib/filters/filters.ts';
import type { Names } from '$lib/filters/picked.ts';
import type { Sheet } from '$lib/print/sheet.ts';

declare global {
  namespace App {
    /** What a request asks and changes, of the data that it is about. `hooks.server.ts` sets it. */
    interface Locals {
      /** As the address says. Pages take those of the layout: they are loaded again when the address changes. */
      readonly filters: FilterState;
      /** Texts that are answered can be shown as they are, control characters included. */
      readonly reports: Omit<Reports, 'monthReportArchive' | 'evidencePack'>;
      /** Byte for byte: nothing in it is shown on a page. */
      readonly monthReportArchive: Reports['monthReportArchive'];
      readonly evidencePack: Reports['evidencePack'];
      /** Null where pages only read. */
      readonly changes: Changes | null;
      readonly about: About;
      /** What the process behind the pages did since it started; null where it takes nothing in. */
      readonly processFigures: () => Promise<ProcessFigures | null>;
    }

    interface PageData {
      /** Whether the sample data is shown, asked for or not; not there where even the layout failed. */
      is_sample?: boolean;
      /** Names for ids. */
      names?: Names;
      /** Whether something can be saved in the shown ledger. */
      can_change?: boolean;
      /** What the page itself could not use of its link; the layout shows it beside what no page could. */
      own_repairs?: readonly Pick<Repair, 'notice'>[];
      /** Texts in the margins when it is printed, of a page that is about its own time; the layout has those of others. */
      sheet?: Sheet;
    }
  }
}

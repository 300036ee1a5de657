// Brings in what `event.platform` holds under this adapter.
import '@sveltejs/adapter-node';

import type { Repair } from '$lib/filters/filters.ts';

declare global {
  namespace App {
    interface PageData {
      /** What the page itself could not use of its link; the layout shows it beside what no page could. */
      own_repairs?: readonly Pick<Repair, 'notice'>[];
    }
  }
}

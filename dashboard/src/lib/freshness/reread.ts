import { invalidateAll } from '$app/navigation';
import { navigating } from '$app/state';

/**
 * Reads the data of the page again, for a timer. Not while the reader is on the way to another page: reading again would
 * call that off, and the click would be lost.
 */
export async function reread(): Promise<void> {
  if (navigating.to === null) await invalidateAll();
}

/** Which Chromium draws the pages in tests. */

/** Chromium without a desktop's window around the page, as Debian installs it. */
export const HEADLESS_SHELL: string;

/** The program that `CHROMIUM_PATH` names, or else the first of the usual ones that is installed; null: there is none. */
export function findChromium(): string | null;

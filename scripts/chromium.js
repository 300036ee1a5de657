/** Which Chromium draws the pages in tests. */
import { existsSync } from 'node:fs';

/** Chromium without a desktop's window around the page: the same pages for two thirds of the work. */
export const HEADLESS_SHELL = '/usr/bin/chromium-headless-shell';
const PROGRAMS = [HEADLESS_SHELL, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

export function findChromium() {
  return process.env.CHROMIUM_PATH ?? PROGRAMS.find((path) => existsSync(path)) ?? null;
}

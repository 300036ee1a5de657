import { readFileSync } from 'node:fs';
import { z } from 'zod';

const { version, license } = z
  .object({ version: z.string(), license: z.string() })
  .parse(JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')));

/** The version of the product, as its package says. */
export const VERSION = version;
/** Its licence, as an SPDX identifier. */
export const LICENSE = license;

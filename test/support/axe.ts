import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/**
 * What axe finds wrong in a page as it is drawn now, each as `rule: elements`.
 * @param only the rules that are asked for; all of them without
 */
export async function violationsIn(page: Page, only: readonly string[] = []): Promise<readonly string[]> {
  if ((await page.evaluate('typeof axe')) === 'undefined') await page.evaluate(AXE);
  const options = { resultTypes: ['violations'], ...(only.length === 0 ? {} : { runOnly: only }) };
  return page.evaluate<string[]>(`axe.run(document, ${JSON.stringify(options)})
    .then((found) => found.violations.map((one) => one.id + ': ' + one.nodes.map((node) => node.target).join(', ')))`);
}

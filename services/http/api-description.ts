import type { OutgoingHttpHeaders } from 'node:http';
import { describedParameter, describedReports, type DescribedParameter } from '../catalogue/description.ts';
import type { Column } from '../reports/report.ts';
import { VERSION } from '../version.ts';
import { ANSWER_PARAMETERS, openApi } from './openapi.ts';

/** Addresses at which the API describes itself: for programs, for tools, for people. */
export const API_ADDRESSES = ['/api', '/api/openapi.json', '/api/docs'] as const;
type ApiAddress = (typeof API_ADDRESSES)[number];

interface Described {
  readonly headers: OutgoingHttpHeaders;
  readonly text: string;
}

const asJson = (value: unknown): Described => ({
  headers: { 'content-type': 'application/json; charset=utf-8' },
  text: `${JSON.stringify(value, null, 2)}\n`,
});

function descriptionOf(): Described {
  return asJson({
    version: VERSION,
    openapi: '/api/openapi.json',
    docs: '/api/docs',
    parameters_of_all: ANSWER_PARAMETERS.map(describedParameter),
    reports: describedReports().map((report) => ({ ...report, address: `/api/${report.name}` })),
  });
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** HTML of a text, with names in backticks as code. */
const withNames = (text: string): string => escaped(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>');

const table = (heads: readonly string[], rows: readonly (readonly string[])[]): string => `<div class="frame"><table>
<thead><tr>${heads.map((head) => `<th scope="col">${head}</th>`).join('')}</tr></thead>
<tbody>
${rows.map(([first = '', ...rest]) => `<tr><th scope="row"><code>${escaped(first)}</code></th>${rest.map((cell) => `<td>${withNames(cell)}</td>`).join('')}</tr>`).join('\n')}
</tbody></table></div>`;

const listed = (values: readonly string[]): string =>
  values.length === 0 ? '' : ` One of ${values.map((value) => `\`${value}\``).join(', ')}.`;

const parameterTable = (parameters: readonly DescribedParameter[]): string =>
  table(
    ['Parameter', 'Meaning'],
    parameters.map(({ name, meaning, values }) => [name, meaning + listed(values)]),
  );

const columnTable = (columns: readonly Column[]): string =>
  table(
    ['Column', 'Type', 'Meaning'],
    columns.map(({ name, type, is_nullable, meaning, values }) => [
      name,
      is_nullable ? `${type} or null` : type,
      meaning + listed(values),
    ]),
  );

const STYLE = `
:root { color-scheme: light dark; --line: #d0d4d9; --soft: #f4f6f8; font: 16px/1.5 system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { :root { --line: #3a4048; --soft: #1c2127; } }
body { max-width: 70rem; margin: 0 auto; padding: 1.5rem; }
h2 { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: 1.5rem; }
nav ul { columns: 16rem; padding-left: 1.2rem; }
.frame { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.35rem 0.75rem 0.35rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; }
tbody th { font-weight: 400; white-space: nowrap; }
code { background: var(--soft); padding: 0.1em 0.3em; border-radius: 3px; font-size: 0.9em; }`;

function pageOf(): Described {
  const reports = describedReports();
  const sections = reports.map(
    ({ name, one_row_per, days, parameters, columns }) => `<section id="${name}">
<h2>${name}</h2>
<p>One row per ${withNames(one_row_per)}.</p>
<p>${withNames(days)} <a href="/api/${name}${days.startsWith('One whole month') ? '?period=last-month' : '?limit=10'}">Open</a></p>
${parameters.length === 0 ? '' : parameterTable(parameters)}
${columnTable(columns)}
</section>`,
  );
  return {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
    },
    text: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API · ctwa-ledger</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>API</h1>
<p><code>GET /api/&lt;report&gt;</code> answers <code>{"rows":[…]}</code>, and with <code>format=csv</code> the same rows as CSV.
Whole numbers are numbers; amounts, rates and numbers of 64 bits are text, so that nothing is rounded. What is not known is
null, and an empty cell in CSV. A parameter or a value that a report does not take is refused with 400. For programs:
<a href="/api">/api</a>, <a href="/api/openapi.json">/api/openapi.json</a> (OpenAPI 3.1).</p>
<p>Every report takes</p>
${parameterTable(ANSWER_PARAMETERS.map(describedParameter))}
<p>With <code>limit</code> an answer has also <code>next</code>: given as <code>after</code>, with all else the same, it leads to
the next page; null says that there is none. An answer has an ETag for as long as nothing is written that its rows depend on.</p>
<nav aria-label="Reports"><ul>
${reports.map(({ name }) => `<li><a href="#${name}">${name}</a></li>`).join('\n')}
</ul></nav>
${sections.join('\n')}
</main>
</body>
</html>
`,
  };
}

const MAKE: Readonly<Record<ApiAddress, () => Described>> = {
  '/api': descriptionOf,
  '/api/openapi.json': () => asJson(openApi()),
  '/api/docs': pageOf,
};
const made = new Map<ApiAddress, Described>();

/** The description of the API at an address; null for other addresses. */
export function describedApi(pathname: string): Described | null {
  const address = API_ADDRESSES.find((one) => one === pathname);
  if (address === undefined) return null;
  const known = made.get(address) ?? MAKE[address]();
  made.set(address, known);
  return known;
}

/** Parameters of a statement, by name. */
export type Parameters = Record<string, string | number | boolean | readonly string[] | readonly number[]>;

function literal(value: string | number): string {
  return typeof value === 'number'
    ? value.toString()
    : `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\0', '\\0')}'`;
}

/**
 * Puts the lists among the parameters into the statement. The client sends parameters of commands and of streamed
 * statements in the address, whose length is limited.
 */
export function withLists(
  sql: string,
  parameters: Parameters,
): { readonly statement: string; readonly scalars: Parameters } {
  // In one pass: a text in a list may look like the placeholder of another list.
  const statement = sql.replaceAll(/\{(\w+):(Array\(\w+\))\}/g, (place, name: string, type: string) => {
    const value = parameters[name];
    return typeof value === 'object' ? `CAST([${value.map(literal).join(',')}], '${type}')` : place;
  });
  const scalars = Object.entries(parameters).filter(([, value]) => typeof value !== 'object');
  return { statement, scalars: Object.fromEntries(scalars) };
}

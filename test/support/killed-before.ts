import { Ledger } from '../../services/ledger/ledger.ts';

/**
 * Does something in a process that kills itself before a statement of the ledger, and prints that statement. A process that
 * ends was done before it came to that.
 * @param fatal the number of the statement that writes, from 1
 */
export async function killedBefore(
  { dataDir, name, fatal }: { readonly dataDir: string; readonly name: string; readonly fatal: string },
  work: (ledger: Ledger) => Promise<unknown>,
): Promise<void> {
  const ledger = await Ledger.open({
    location: { kind: 'embedded', dataDir },
    database: name,
    config: null,
    command: 'a test',
    onProgress: () => undefined,
  });
  const { database } = ledger;
  const command = database.command.bind(database);
  const insertLines = database.insertLines.bind(database);
  let statements = 0;
  function count(statement: string): void {
    statements += 1;
    if (statements !== Number(fatal)) return;
    process.stdout.write(statement.trim());
    process.kill(process.pid, 'SIGKILL');
  }
  database.command = async (sql, parameters) => {
    count(sql);
    await command(sql, parameters);
  };
  database.insertLines = async (table, columns, lines) => {
    if (lines.length > 0) count(`INSERT INTO ${table}`);
    await insertLines(table, columns, lines);
  };
  await work(ledger);
  database.command = command;
  database.insertLines = insertLines;
  await ledger.close();
}

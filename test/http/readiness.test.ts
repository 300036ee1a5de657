import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, renameSync, rmSync, rmdirSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findEngine } from '../../services/clickhouse/engine/find.ts';
import {
  DataDirectory,
  deliver,
  deliveredStatus,
  envelope,
  SECRETS,
  startProduct,
  statuses,
  until,
  type Env,
  type Product,
} from '../support/product.ts';

const AT = 1_792_000_000;
const DISK = 'size=96m';

/** Something that keeps a ledger from being written, although it can still be read. */
interface Fault {
  readonly name: string;
  /** Before anything is in the directory. */
  readonly prepare: (data: DataDirectory) => void;
  /** Brings it about; gives what ends it. */
  readonly begin: (data: DataDirectory) => Promise<() => void>;
  /** When no process uses the directory any more. */
  readonly clear: (data: DataDirectory) => void;
}

function mount(path: string): boolean {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', DISK, 'tmpfs', path]).status === 0;
}

function unmount(path: string): void {
  spawnSync('umount', [path]);
}

/** Whether this machine lets tests have a disk of their own: it takes the rights of an administrator. */
function canMount(): boolean {
  const path = mkdtempSync(join(tmpdir(), 'ctwa-mount-'));
  const can = mount(path);
  if (can) unmount(path);
  rmdirSync(path);
  return can;
}

const FULL_DISK: Fault = {
  name: 'the disk is full',
  prepare: (data) => {
    expect(mount(data.path)).toBe(true);
  },
  begin: (data) => {
    const path = data.file('filling');
    const file = openSync(path, 'w');
    const block = Buffer.alloc(4096, 'x');
    try {
      for (;;) writeSync(file, block);
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
    } finally {
      closeSync(file);
    }
    return Promise.resolve(() => {
      rmSync(path);
    });
  },
  clear: (data) => {
    unmount(data.path);
  },
};

/** What every machine lets a test do: where a table keeps its parts there is a file, so that no part can be added. */
const NO_DIRECTORIES: Fault = {
  name: 'the directories of the tables are gone',
  prepare: () => undefined,
  begin: async (data) => {
    const paths = (await data.query(
      `SELECT arrayJoin(data_paths) FROM system.tables
       WHERE database = 'ctwa_ledger' AND name != 'migrations' AND notEmpty(data_paths) FORMAT JSONCompactEachRow`,
    )) as [string][];
    const places = [...new Set(paths.map(([path]) => path.replace(/\/$/, '')))];
    expect(places.length).toBeGreaterThan(5);
    for (const place of places) {
      renameSync(place, `${place}.away`);
      writeFileSync(place, '');
    }
    return () => {
      for (const place of places) {
        rmSync(place);
        renameSync(`${place}.away`, place);
      }
    };
  },
  clear: () => undefined,
};

/** A full disk where one can be made; the other fault is tried on every machine. */
const FAULTS = canMount() ? [FULL_DISK, NO_DIRECTORIES] : [NO_DIRECTORIES];

async function readiness(product: Product): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(`${product.url}/readyz`);
  return { status: response.status, text: await response.text() };
}

const embedded = (): Promise<Env> => Promise.resolve(SECRETS);

async function onServer(data: DataDirectory): Promise<Env> {
  const engine = await findEngine(data.path);
  return {
    ...SECRETS,
    CLICKHOUSE_URL: engine.url,
    CLICKHOUSE_USER: 'default',
    CLICKHOUSE_PASSWORD: engine.key,
    CLICKHOUSE_DATABASE: 'ctwa_ledger',
  };
}

describe.each(FAULTS)('when $name', (fault) => {
  it.each([
    ['with the embedded engine', embedded],
    ['with a ClickHouse server', onServer],
  ])('is not ready as long as deliveries are refused, %s', async (_, environment) => {
    const data = new DataDirectory();
    const body = (id: string): string => envelope(statuses([deliveredStatus(`wamid.ready.${id}`, AT)]));
    fault.prepare(data);
    try {
      const product = await startProduct(data, { command: 'webhook', env: await environment(data) });
      expect(await deliver(product, body('before'))).toBe(200);
      expect(await readiness(product)).toEqual({ status: 200, text: 'ready\n' });

      const end = await fault.begin(data);
      await until('a delivery is refused', async () => (await deliver(product, body('meanwhile'))) === 503);
      await until('it is not ready', async () => (await readiness(product)).status === 503);
      expect((await readiness(product)).text).toMatch(/^not ready: .*ClickHouse|^not ready: .*is full.*Free space/);
      expect(await deliver(product, body('meanwhile'))).toBe(503);

      end();
      await until('it is ready again', async () => (await readiness(product)).status === 200);
      expect(await deliver(product, body('meanwhile'))).toBe(200);
      expect(await product.stop()).toBe(0);
    } finally {
      await data.killEngine();
      fault.clear(data);
      await data.remove();
    }
  });
});

import { createHash, createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportDefinition, type ExportDefinition } from '@ctwa-ledger/schemas/exports.ts';
import { readDestination } from '@ctwa-ledger/schemas/destinations.ts';
import { putFiles } from '../../services/exports/destinations/sent-files.ts';
import { listRuns } from '../../services/exports/runs.ts';
import { addSchedule, findSchedule, listSchedules, setScheduleState } from '../../services/exports/schedules.ts';
import { verifyExports } from '../../services/exports/verify.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { delivered, NOW, Place } from '../support/exports.ts';
import { DataDirectory, isFull, openLedger, until } from '../support/ledger.ts';
import { Receiver } from '../support/receiver.ts';
import { startS3, startSsh, type S3Server, type SshServer } from './storages.ts';

const KEY = 'SHA256:uNiVztksCsDhcc0u9e8BrrJXVGDyGY3dOFfBbGNhkhA';
const SECRET = 'secret-of-a-test';
/** Several parts of what is put in parts. */
const LARGE_BYTES = 20 * 1024 * 1024 + 7;

const data = new DataDirectory();
let ledger: Ledger;
let names = 0;

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const go = (): Promise<boolean> => Promise.resolve(true);

async function scheduled(
  given: Partial<ExportDefinition>,
): Promise<Place & { readonly name: string; readonly id: string }> {
  const name = `sent-${++names}`;
  for (const { definition: earlier } of await listSchedules(ledger.database))
    await setScheduleState(ledger.database, earlier.name, 'removed', 'a test', NOW);
  const definition = { name, report: 'daily', when: 'every day 06:00', period: 'yesterday', ...given };
  const { schedule_id } = await addSchedule(ledger.database, exportDefinition.parse(definition), 'a test', NOW);
  return Object.assign(new Place(ledger, data.file(name)), { name, id: schedule_id });
}

async function problemsOf({ directory, name }: { directory: string; name: string }): Promise<(string | null)[]> {
  const verified = await verifyExports(ledger, directory, await findSchedule(ledger.database, name));
  return verified.map(({ problem }) => problem);
}

beforeAll(async () => {
  ledger = await openLedger(data, 'ctwa_ledger', {
    accounts: [{ waba_id: '102290129340398', currency: 'USD', phone_number_ids: ['106540352242922'] }],
  });
  await ledger.record([delivered('wamid.1', NOW - 86_400)]);
  process.env['CTWA_EXPORT_SECRET'] = SECRET;
});
afterAll(async () => {
  delete process.env['CTWA_EXPORT_SECRET'];
  await ledger.close();
  await data.remove();
});

describe('where files go', () => {
  it.each([
    ['s3://finance-in/whatsapp/daily', { kind: 's3', bucket: 'finance-in', prefix: 'whatsapp/daily', endpoint: null }],
    [
      's3://finance?region=sa-east-1&endpoint=https://s.example.com&credentials=books',
      { region: 'sa-east-1', endpoint: 'https://s.example.com', credentials: 'books', prefix: '' },
    ],
    [
      `sftp://finance@files.example.com:2222/in/charges/?host_key=${KEY}`,
      { kind: 'sftp', port: 2222, user: 'finance', directory: '/in/charges', host_key: KEY },
    ],
  ])('is read from %s', (text, expected) => {
    expect(readDestination(text)).toMatchObject(expected);
  });

  it.each([
    ['ftp://a/b', 's3:// or sftp://'],
    ['finance', 'use an address'],
    ['s3://key:secret@finance/x', 'secrets are never part of it'],
    [`sftp://a:password@b/c?host_key=${KEY}`, 'secrets are never part of it'],
    ['sftp://a@b/c', 'fingerprint'],
    ['s3://UP_PER/x', 'no name of a bucket'],
    ['s3://finance/x?secret=1', 'not secret'],
    ['s3://finance/a b', 'signs'],
    ['s3://finance?endpoint=storage', 'no endpoint'],
  ])('is not read from %s', (text, words) => {
    expect(readDestination(text)).toEqual(expect.stringContaining(words));
    expect(
      exportDefinition.safeParse({ name: 'a', report: 'daily', when: 'x', period: 'yesterday', to: text }).success,
    ).toBe(false);
  });
});

describe('a destination that takes nothing', () => {
  it('has the run tried again, shows readers no partial file, and prints no secret', async () => {
    const server: Server = createServer((socket) => socket.destroy());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const environment = {
      CTWA_DESTINATION_DEFAULT_ACCESS_KEY: 'an-access-key',
      CTWA_DESTINATION_DEFAULT_SECRET_KEY: SECRET,
    };
    Object.assign(process.env, environment);
    try {
      const place = await scheduled({ to: `s3://finance/in?endpoint=http://127.0.0.1:${port}` });
      await place.exports.runDue(NOW + 86_400, () => false);
      expect(place.ended).toMatchObject([{ state: 'retry' }]);
      const { error } = place.ended[0]!;
      expect(error).toContain('s3://finance/in did not take');
      expect(error).not.toContain(SECRET);
      expect(readdirSync(join(place.directory, place.name))).toEqual([]);
      expect(await listRuns(ledger.database, place.id)).toMatchObject([{ state: 'retry', error }]);
    } finally {
      for (const name of Object.keys(environment)) delete process.env[name];
      server.close();
    }
  });

  it('has files that cannot be read back, which verifying says', async () => {
    const server: Server = createServer((socket) => socket.destroy());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    try {
      const place = await scheduled({});
      await place.exports.runDue(NOW + 86_400, () => false);
      const schedule = await findSchedule(ledger.database, place.name);
      expect(await verifyExports(ledger, place.directory, schedule)).toMatchObject([{ problem: null }]);
      const to = `s3://finance/in?endpoint=http://127.0.0.1:${port}`;
      const sent = { ...schedule, definition: { ...schedule.definition, to } };
      expect(await verifyExports(ledger, place.directory, sent)).toMatchObject([
        { problem: expect.stringContaining('s3://finance/in cannot be read back') as string, ledger: null },
      ]);
    } finally {
      server.close();
    }
  });

  it('is not signed in to without a key', async () => {
    const to = `sftp://finance@127.0.0.1:9/in?host_key=${KEY}`;
    await expect(putFiles(to, [], go, {})).rejects.toThrow('CTWA_DESTINATION_DEFAULT_PRIVATE_KEY_FILE');
  });
});

/** A storage that answers as S3 does for files of one part, each time after some milliseconds. */
async function startSlow(
  milliseconds: number,
): Promise<{ readonly port: number; readonly taken: Map<string, Buffer>; close(): void }> {
  const taken = new Map<string, Buffer>();
  const server = createHttpServer((request, response) => {
    const key = new URL(request.url ?? '', 'http://storage').pathname;
    const answer = async (): Promise<void> => {
      const parts: Buffer[] = [];
      for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
      await pause(milliseconds);
      if (request.method === 'PUT') taken.set(key, Buffer.concat(parts));
      const length = request.method === 'HEAD' ? taken.get(key)?.length : 0;
      response.writeHead(length === undefined ? 404 : 200, { 'content-length': length ?? 0, etag: '"1"' }).end();
    };
    answer().catch(() => response.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return { port, taken, close: () => server.close() };
}

describe('a destination that is slow', () => {
  const impatient = {
    CTWA_DESTINATION_DEFAULT_ACCESS_KEY: 'an-access-key',
    CTWA_DESTINATION_DEFAULT_SECRET_KEY: SECRET,
    CTWA_DESTINATION_DEFAULT_PASSWORD: SECRET,
    CTWA_DESTINATION_DEFAULT_SILENT_SECONDS: '1',
  };
  const file = { name: 'slow.csv', bytes: 1_500_000 };
  const files = (): readonly { readonly local: string; readonly name: string }[] => {
    writeFileSync(data.file(file.name), randomBytes(file.bytes));
    return [{ local: data.file(file.name), name: file.name }];
  };

  it('is waited for as long as it goes on answering, however long the whole takes', async () => {
    const slow = await startSlow(2_000);
    try {
      const patient = { ...impatient, CTWA_DESTINATION_DEFAULT_SILENT_SECONDS: '3' };
      await putFiles(`s3://finance/in?endpoint=http://127.0.0.1:${slow.port}`, files(), go, patient);
      const [[, received] = []] = slow.taken;
      expect(sha256(received!)).toBe(sha256(readFileSync(data.file(file.name))));
    } finally {
      slow.close();
    }
  });

  it.each([
    ['an S3-compatible one', (port: number) => `s3://finance/in?endpoint=http://127.0.0.1:${port}`],
    ['an SSH server', (port: number) => `sftp://finance@127.0.0.1:${port}/in?host_key=${KEY}`],
  ])('is given up when it says nothing at all: %s', async (_, address) => {
    const open = new Set<Socket>();
    const silent = createServer((socket) => open.add(socket));
    await once(silent.listen(0, '127.0.0.1'), 'listening');
    const { port } = silent.address() as AddressInfo;
    try {
      await expect(putFiles(address(port), files(), go, impatient)).rejects.toThrow('did not take');
      expect(open.size).toBeGreaterThan(0);
    } finally {
      for (const socket of open) socket.destroy();
      silent.close();
    }
  });

  it('is waited for a number of seconds only', async () => {
    const wrong = { ...impatient, CTWA_DESTINATION_DEFAULT_SILENT_SECONDS: 'a minute' };
    await expect(putFiles('s3://finance/in', files(), go, wrong)).rejects.toThrow('not a whole number of seconds');
  });
});

describe('notices about a file', () => {
  it('hold up no other schedule while nobody answers', async () => {
    const receiver = await Receiver.start();
    receiver.answering = 'silent';
    const place = await scheduled({ notify: receiver.url });
    const other = { name: 'the-last-one', report: 'charges', when: 'every day 06:00', period: 'yesterday' };
    await addSchedule(ledger.database, exportDefinition.parse(other), 'a test', NOW);
    const due = place.exports.runDue(NOW + 86_400, () => false);
    try {
      await until('the other schedule has run', () => place.ended.length > 0);
      expect(place.ended).toMatchObject([{ state: 'done', file: expect.stringContaining('charges') as string }]);
    } finally {
      await receiver.close();
    }
    await due;
    expect(place.ended[1]).toMatchObject({ state: 'retry' });
  });

  it('gets a signed request when it is there; one that is not taken has the run tried again', async () => {
    const receiver = await Receiver.start();
    try {
      const place = await scheduled({ notify: receiver.url });
      receiver.answering = 500;
      await place.exports.runDue(NOW + 86_400, () => false);
      expect(place.ended).toMatchObject([{ state: 'retry', error: expect.stringContaining('answered 500') as string }]);
      receiver.answering = 204;
      await place.exports.runDue(NOW + 86_400 + 61, () => false);
      expect(place.ended[1]).toMatchObject({ state: 'done', attempt: 2 });
      const [first, second] = receiver.received;
      // The same file: the receiver knows it by the key.
      expect(second!.key).toBe(first!.key);
      const told = JSON.parse(second!.body) as Record<string, string>;
      expect(told).toMatchObject({ event: 'export.done', schedule: place.name, sha256: place.ended[1]!.sha256 });
      expect(sha256(place.read(told['file']!))).toBe(told['sha256']);
      const signed = createHmac('sha256', SECRET).update(`${second!.timestamp}.${second!.body}`).digest('hex');
      expect(second!.signature).toBe(`sha256=${signed}`);
      // A run that is given up is told of too.
      receiver.answering = 503;
      for (let i = 0; i < 8; i++) await place.exports.runDue(NOW + 2 * 86_400 + i * 3_601, () => false);
      const given = receiver.received.map(({ body }) => (JSON.parse(body) as { event: string }).event);
      expect(given.filter((event) => event === 'export.failed')).toHaveLength(1);
    } finally {
      await receiver.close();
    }
  });
});

// They install packages.
describe.runIf(isFull)('storages of others', () => {
  let s3: S3Server;
  let ssh: SshServer;
  let client: S3Client;
  const large = randomBytes(LARGE_BYTES);
  beforeAll(async () => {
    s3 = await startS3();
    ssh = await startSsh(data.file('ssh'));
    const credentials = { accessKeyId: s3.accessKey, secretAccessKey: s3.secretKey };
    client = new S3Client({ endpoint: s3.endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
    await client.send(new CreateBucketCommand({ Bucket: 'finance' }));
    Object.assign(process.env, {
      CTWA_DESTINATION_STORAGE_ACCESS_KEY: s3.accessKey,
      CTWA_DESTINATION_STORAGE_SECRET_KEY: s3.secretKey,
      CTWA_DESTINATION_SERVER_PRIVATE_KEY_FILE: ssh.privateKey,
    });
    writeFileSync(data.file('large.csv'), large);
  });
  afterAll(async () => {
    client.destroy();
    await Promise.all([s3.stop(), ssh.stop()]);
  });

  const inS3 = async (Key: string): Promise<Uint8Array> => {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: 'finance', Key }));
    return Body!.transformToByteArray();
  };
  const s3Address = (bucket = 'finance'): string => `s3://${bucket}/in?endpoint=${s3.endpoint}&credentials=storage`;
  const sshAddress = (folder: string, key = ssh.hostKey): string =>
    `sftp://${ssh.user}@127.0.0.1:${ssh.port}${folder}?host_key=${key}&credentials=server`;

  it('an S3-compatible one takes the file, its manifest and latest.json, and a large one in parts', async () => {
    const place = await scheduled({ to: s3Address(), compression: 'gzip' });
    await place.exports.runDue(NOW + 86_400, () => false);
    expect(place.ended).toMatchObject([{ state: 'done', error: '' }]);
    const listed = await client.send(new ListObjectsV2Command({ Bucket: 'finance', Prefix: `in/${place.name}/` }));
    expect(listed.Contents?.map(({ Key }) => Key?.slice(`in/${place.name}/`.length)).sort()).toEqual(
      place.files(place.name),
    );
    for (const name of place.files(place.name))
      expect(sha256(await inS3(`in/${place.name}/${name}`)), name).toBe(sha256(place.read(`${place.name}/${name}`)));
    const { file } = place.ended[0]!;
    expect(await problemsOf(place)).toEqual([null]);
    const object = { Bucket: 'finance', Key: `in/${file}.manifest.json` };
    await client.send(new PutObjectCommand({ ...object, Body: '{}' }));
    expect(await problemsOf(place)).toEqual([
      'The manifest at s3://finance/in is not the one that was written: its SHA-256 is another.',
    ]);
    await client.send(new DeleteObjectCommand({ ...object, Key: `in/${file}` }));
    expect(await problemsOf(place)).toEqual(['The file is not at s3://finance/in.']);
    await putFiles(s3Address(), [{ local: data.file('large.csv'), name: 'large.csv' }], go);
    expect(sha256(await inS3('in/large.csv'))).toBe(sha256(large));
    const { ETag } = await client.send(new GetObjectCommand({ Bucket: 'finance', Key: 'in/large.csv' }));
    expect(ETag).toMatch(/-3"$/);
  });

  it('an S3-compatible one that refuses says so, without the secret', async () => {
    const files = [{ local: data.file('large.csv'), name: 'refused.csv' }];
    await expect(putFiles(s3Address('nowhere'), files, go)).rejects.toThrow('s3://nowhere/in did not take refused.csv');
    const wrong = { CTWA_DESTINATION_STORAGE_ACCESS_KEY: s3.accessKey, CTWA_DESTINATION_STORAGE_SECRET_KEY: SECRET };
    const refused = await putFiles(s3Address(), files, go, wrong).catch((error: unknown) => String(error));
    expect(refused).toContain('did not take refused.csv');
    expect(refused).not.toContain(SECRET);
    await expect(inS3('in/refused.csv')).rejects.toThrow();
  });

  it('an SSH server takes them too, and replaces latest.json', async () => {
    const folder = data.file('received');
    mkdirSync(folder);
    const place = await scheduled({ to: sshAddress(`${folder}/deep/er`) });
    await place.exports.runDue(NOW + 2 * 86_400, () => false);
    expect(place.ended.map(({ state }) => state)).toEqual(['done', 'done']);
    const there = join(folder, 'deep', 'er', place.name);
    expect(readdirSync(there).sort()).toEqual(place.files(place.name));
    for (const name of place.files(place.name))
      expect(readFileSync(join(there, name)).equals(place.read(`${place.name}/${name}`)), name).toBe(true);
    expect(await problemsOf(place)).toEqual([null, null]);
    const [first, second] = place.ended.map(({ file }) => join(folder, 'deep', 'er', file));
    writeFileSync(first!, 'something else');
    rmSync(second!);
    expect(await problemsOf(place)).toEqual([
      expect.stringContaining('The file at sftp://') as string,
      expect.stringContaining('The file is not at sftp://') as string,
    ]);
    await putFiles(sshAddress(folder), [{ local: data.file('large.csv'), name: 'large.csv' }], go);
    expect(sha256(readFileSync(join(folder, 'large.csv')))).toBe(sha256(large));
  });

  it('an SSH server with another key, or where nothing can be written, gets nothing', async () => {
    const files = [{ local: data.file('large.csv'), name: 'never.csv' }];
    await expect(putFiles(sshAddress('/tmp', KEY), files, go)).rejects.toThrow('has another key');
    const blocked = data.file('blocked');
    writeFileSync(blocked, 'a file where a folder should be');
    await expect(putFiles(sshAddress(`${blocked}/in`), files, go)).rejects.toThrow('did not take never.csv');
    expect(existsSync('/tmp/never.csv')).toBe(false);
  });
});

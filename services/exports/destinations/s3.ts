import { createReadStream, statSync } from 'node:fs';
import { Readable } from 'node:stream';
import { GetObjectCommand, HeadObjectCommand, NoSuchKey, S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import type { S3Destination } from '@ctwa-ledger/schemas/destinations.ts';
import type { OpenStorage, Secrets } from './destination.ts';

/** Size of one part of a large file. Two parts are sent at once, so this limits the memory. */
const PART_BYTES = 8 * 1024 * 1024;
const PARTS_AT_ONCE = 2;
const CONNECT_MS = 10_000;
const ATTEMPTS = 3;

const TYPES: readonly (readonly [ending: string, type: string])[] = [
  ['.json', 'application/json'],
  ['.csv', 'text/csv; charset=utf-8'],
  ['.gz', 'application/gzip'],
  ['.xlsx', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'],
  ['.parquet', 'application/vnd.apache.parquet'],
];

/**
 * An S3-compatible storage. A file exists once all its parts are stored; the parts of an interrupted one are removed.
 * Keys are `ACCESS_KEY` and `SECRET_KEY`; without them the SDK looks for keys itself.
 */
export function openS3({ bucket, prefix, region, endpoint }: S3Destination, secrets: Secrets): OpenStorage {
  // The SDK warns that later versions need a later Node. We choose the version ourselves.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  const [accessKeyId, secretAccessKey, sessionToken] = [
    secrets.get('ACCESS_KEY'),
    secrets.get('SECRET_KEY'),
    secrets.get('SESSION_TOKEN'),
  ];
  const client = new S3Client({
    region,
    maxAttempts: ATTEMPTS,
    // Not every storage supports the newer checksums, so the size is compared afterwards.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    // A slow storage may take its time; `requestTimeout` would only warn about it, on the console.
    requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: secrets.silentMs },
    ...(endpoint === null ? {} : { endpoint, forcePathStyle: true }),
    ...(accessKeyId === null || secretAccessKey === null
      ? {}
      : { credentials: { accessKeyId, secretAccessKey, ...(sessionToken === null ? {} : { sessionToken }) } }),
  });
  const keyOf = (name: string): string => (prefix === '' ? name : `${prefix}/${name}`);
  return {
    put: async (local, name) => {
      const Key = keyOf(name);
      const upload = new Upload({
        client,
        partSize: PART_BYTES,
        queueSize: PARTS_AT_ONCE,
        params: {
          Bucket: bucket,
          Key,
          Body: createReadStream(local, { highWaterMark: 1024 * 1024 }),
          ContentType: TYPES.find(([ending]) => name.endsWith(ending))?.[1],
        },
      });
      await upload.done();
      const { ContentLength } = await client.send(new HeadObjectCommand({ Bucket: bucket, Key }));
      const { size } = statSync(local);
      if (ContentLength !== size) throw new Error(`it has ${ContentLength ?? 'no'} bytes there, and ${size} here`);
    },
    read: async (name) => {
      try {
        const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: keyOf(name) }));
        return Body === undefined ? null : Readable.from(Body as AsyncIterable<Uint8Array>);
      } catch (error) {
        if (error instanceof NoSuchKey) return null;
        throw error;
      }
    },
    close: () => {
      client.destroy();
      return Promise.resolve();
    },
  };
}

import { once } from 'node:events';
import { constants, createGzip } from 'node:zlib';

/** The same parts, compressed. Closes `parts` in the end and waits for that. */
export async function* gzipped(parts: AsyncGenerator<string | Buffer>): AsyncGenerator<Buffer> {
  // Rows are much alike: even the fastest level compresses them to a fifth.
  const gzip = createGzip({ level: constants.Z_BEST_SPEED });
  const packed: Buffer[] = [];
  gzip.on('data', (bytes: Buffer) => packed.push(bytes));
  try {
    for await (const part of parts) {
      if (!gzip.write(part)) await once(gzip, 'drain');
      if (packed.length > 0) yield Buffer.concat(packed.splice(0));
    }
    const ended = once(gzip, 'end');
    gzip.end();
    await ended;
    yield Buffer.concat(packed);
  } finally {
    gzip.destroy();
  }
}

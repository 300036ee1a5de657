import { Zip, ZipDeflate, ZipPassThrough } from 'fflate';

/** A file of an archive, with its content in pieces. */
export interface ArchivedFile {
  readonly path: string;
  readonly parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  /** Whether the content is compressed already. */
  readonly is_packed?: boolean;
}

/** A ZIP archive of files, one after another, bounded in memory. */
export async function* archiveOf(
  files: AsyncIterable<ArchivedFile> | Iterable<ArchivedFile>,
): AsyncGenerator<Uint8Array> {
  const ready: Uint8Array[] = [];
  // A fixed date, so that the same content gives the same bytes whenever it is packed. Archives hold local time, so
  // this is the same text in every zone.
  const made = new Date(1980, 0, 1);
  const zip = new Zip((error, chunk) => {
    if (error !== null) throw error;
    if (chunk.length > 0) ready.push(chunk);
  });
  for await (const { path, parts, is_packed } of files) {
    const file = is_packed === true ? new ZipPassThrough(path) : new ZipDeflate(path, { level: 6 });
    file.mtime = made;
    zip.add(file);
    for await (const part of parts) {
      file.push(part);
      yield* ready.splice(0);
    }
    file.push(new Uint8Array(0), true);
    yield* ready.splice(0);
  }
  zip.end();
  yield* ready.splice(0);
}

/** A response with an archive, sent as it is read. */
export function archiveResponse(archive: {
  readonly name: string;
  readonly content: AsyncIterable<Uint8Array>;
}): Response {
  const parts = archive.content[Symbol.asyncIterator]();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await parts.next();
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await parts.return?.();
    },
  });
  return new Response(body, {
    headers: {
      'content-type': 'application/zip',
      'content-disposition': `attachment; filename="${archive.name}"`,
      'cache-control': 'private, no-cache',
    },
  });
}

import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';

import { withLostFiles } from '../../services/processes/built-pages.ts';

it('goes on when a file of the pages is lost while it is served', async () => {
  const server = createServer(
    withLostFiles((request, response) => {
      if (request.url === '/lost') createReadStream('/nowhere/lost.css').pipe(response);
      else response.end('still here');
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    await expect(fetch(`${url}/lost`)).rejects.toThrow('fetch failed');
    expect(await (await fetch(`${url}/`)).text()).toBe('still here');
  } finally {
    server.close();
  }
});

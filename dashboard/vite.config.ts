import adapter from '@sveltejs/adapter-node';
import { sveltekit } from '@sveltejs/kit/vite';
import { defineConfig } from 'vite';

/** What several pages use comes in one file: a request for each small module costs a browser more than its bytes. */
const shared = {
  name: 'shared',
  // Charts are asked for by pages that draw one.
  test: /node_modules\/(?!chart\.js|@kurkle)|dashboard\/src\/lib|\/schemas\//,
  minShareCount: 4,
};

export default defineConfig({
  build: { rolldownOptions: { output: { codeSplitting: { groups: [shared] } } } },
  plugins: [
    sveltekit({
      adapter: adapter(),
      csp: {
        mode: 'nonce',
        directives: {
          'default-src': ['self'],
          'script-src': ['self'],
          'style-src': ['self'],
          // Attributes only: the widths of small bars, and the router's hidden announcer, are style attributes.
          'style-src-attr': ['unsafe-inline'],
          'img-src': ['self', 'data:'],
          'connect-src': ['self'],
          'form-action': ['self'],
          'frame-ancestors': ['none'],
          'base-uri': ['none'],
          'object-src': ['none'],
        },
      },
    }),
  ],
});

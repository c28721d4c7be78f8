import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { defineConfig } from 'vite';

const PAGE = new URL('../dist/page/', import.meta.url).pathname;

/** The page is files that the API's process serves: nothing comes from anywhere else. */
export default defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  plugins: [{ name: 'compressed-beside', apply: 'build', closeBundle: compressBeside }],
  build: {
    outDir: PAGE,
    emptyOutDir: true,
    target: 'es2022',
    // Inline data: addresses would need a wider Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});

/** Compresses each file once, here, so that the server never does: x.js.br and x.js.gz beside x.js. */
function compressBeside() {
  for (const file of readdirSync(PAGE, { recursive: true, encoding: 'utf8' })) {
    if (!/\.(js|css|html|svg)$/.test(file)) continue;
    const path = join(PAGE, file);
    const content = readFileSync(path);
    writeFileSync(`${path}.br`, brotliCompressSync(content));
    writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
  }
}

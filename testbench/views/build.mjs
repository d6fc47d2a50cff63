// Bundles the page into build/views/: what the browser loads, and nothing else leaves node_modules.
//
// Two things must be defined, since Splunk's packages expect a bundler to have done so: NODE_ENV and `global`.
// package.json must not say "type": "module": esbuild would then follow Node's rules for CommonJS and make of
// every preset an object with a single key, `default`.
import { build } from 'esbuild';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, '..', '..', 'build', 'views');

await mkdir(target, { recursive: true });
await build({
    entryPoints: { page: join(here, 'page', 'index.jsx') },
    outdir: target,
    bundle: true,
    minify: true,
    format: 'iife',
    target: 'chrome110',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"', global: 'window' },
    loader: { '.png': 'dataurl', '.svg': 'dataurl', '.woff': 'dataurl', '.woff2': 'dataurl', '.gif': 'dataurl' },
    logLevel: 'warning',
});

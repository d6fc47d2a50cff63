// One file for both pages, pages.js: what they share is most of it. Splunk Web loads it by require.js, so that
// `define` is there; what is bundled must not take itself for one of its modules.
//
// The volume that an input may index is estimated from what was measured: the table in docs/scaling.md is read here,
// so that the page says what the docs say.
import { build } from 'esbuild';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..');
const target = join(root, 'build', 'pages');

// {"instance": {"all": 6.55, "main": 1.5, "list": 0.592}, ...}: GB per million instances, a year's mix
async function measured() {
    const text = await readFile(join(root, 'docs', 'scaling.md'), 'utf8');
    const rows = text.matchAll(/^\| level = (\w+), tags = (all|main|a list)[^|]*\| ([\d.]+) \|/gm);
    const table = {};
    for (const [, level, tags, gigabytes] of rows) {
        table[level] ??= {};
        table[level][tags === 'a list' ? 'list' : tags] = Number(gigabytes);
    }
    const complete = ['instance', 'series', 'study'].every((level) =>
        ['all', 'main', 'list'].every((tags) => table[level]?.[tags] > 0),
    );
    if (!complete) {
        throw new Error('docs/scaling.md has no table of GB per million instances for each level and tags');
    }
    return table;
}

// What is bundled keeps its licence: the package names each part with its version and terms.
async function licences(inputs) {
    const names = new Set(
        Object.keys(inputs)
            .map((path) => path.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1])
            .filter(Boolean),
    );
    const lines = await Promise.all(
        [...names].sort().map(async (name) => {
            const found = JSON.parse(await readFile(join(here, 'node_modules', name, 'package.json'), 'utf8'));
            return `${name} ${found.version} (${found.license ?? 'see its package'})`;
        }),
    );
    return `pages.js holds, beside this app's own code:\n\n${lines.join('\n')}\n`;
}

await mkdir(target, { recursive: true });
const made = await build({
    absWorkingDir: here,
    entryPoints: { pages: 'src/index.jsx' },
    outdir: target,
    bundle: true,
    minify: true,
    metafile: true,
    format: 'iife',
    target: ['chrome100', 'firefox102', 'safari15'],
    jsx: 'automatic',
    legalComments: 'none',
    define: {
        'process.env.NODE_ENV': '"production"',
        global: 'window',
        define: 'undefined',
        GIGABYTES_PER_MILLION: JSON.stringify(await measured()),
    },
    logLevel: 'warning',
});
await writeFile(join(target, 'pages.txt'), await licences(made.metafile.inputs));
await writeFile(join(target, 'meta.json'), JSON.stringify(made.metafile));

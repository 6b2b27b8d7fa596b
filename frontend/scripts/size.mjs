// Fails when the first load is heavier than its budget: every file of dist/ a browser fetches, gzipped.
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const BUDGET_BYTES = 300 * 1024;
const DIST = new URL('../dist/', import.meta.url);

const files = readdirSync(DIST, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
const bytes = files.reduce((sum, file) => sum + gzipSync(readFileSync(`${file.parentPath}/${file.name}`)).length, 0);

console.log(`dist: ${files.length} files, ${(bytes / 1024).toFixed(1)} KiB gzip (budget ${BUDGET_BYTES / 1024} KiB)`);
if (bytes > BUDGET_BYTES) process.exit(1);

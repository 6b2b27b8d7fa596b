// Keeps package-lock.json free of addresses: versions and hashes say what is installed, .npmrc says from where.
// `node scripts/lockfile.mjs` removes them, `--check` fails when there are any.
import { readFileSync, writeFileSync } from 'node:fs';

const FILE = new URL('../package-lock.json', import.meta.url);
const text = readFileSync(FILE, 'utf8');
const lock = JSON.parse(text);

for (const entry of Object.values(lock.packages)) {
  delete entry.funding;
  delete entry.resolved;
  delete entry.deprecated;
}

const clean = `${JSON.stringify(lock, null, 2)}\n`;
if (!process.argv.includes('--check')) {
  writeFileSync(FILE, clean);
} else if (clean !== text) {
  console.error('package-lock.json names addresses; expected none. Run `node scripts/lockfile.mjs`.');
  process.exit(1);
}

// Draws docs/architecture.mmd (the README shows it too) as docs/architecture.svg, with mermaid in the Chromium of the page's checks.
// `node tools/render-diagram.mjs [FOLDER]`: mermaid is installed into FOLDER (.cache/mermaid) and nowhere else. CHROMIUM (/usr/bin/chromium).
// The picture carries the hash of its source; architecture/test_diagram.py holds the two together.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MERMAID = '11.17.2';
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SOURCE = join(ROOT, 'docs/architecture.mmd');
const folder = process.argv[2] ?? join(ROOT, '.cache/mermaid');
const library = join(folder, 'node_modules/mermaid/dist/mermaid.min.js');
const { chromium } = createRequire(join(ROOT, 'frontend/package.json'))('playwright-core');

// Labels as text, not as HTML: viewers of pictures draw no HTML inside an SVG.
const SETTINGS = {
  startOnLoad: false,
  theme: 'neutral',
  htmlLabels: false,
  fontFamily: 'sans-serif',
  deterministicIds: true,
  flowchart: { htmlLabels: false },
};

if (!existsSync(library)) {
  mkdirSync(folder, { recursive: true });
  execFileSync('npm', ['install', '--silent', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', folder, `mermaid@${MERMAID}`]);
}
const source = readFileSync(SOURCE, 'utf8');
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
try {
  const page = await browser.newPage();
  await page.addScriptTag({ path: library });
  const svg = await page.evaluate(
    async ([text, settings]) => {
      globalThis.mermaid.initialize(settings);
      return (await globalThis.mermaid.render('architecture', text)).svg;
    },
    [source, SETTINGS],
  );
  const sha256 = createHash('sha256').update(source).digest('hex');
  const onWhite = svg.replace('style="max-width', 'style="background-color: white; max-width');
  writeFileSync(SOURCE.replace('.mmd', '.svg'), `<!-- mermaid ${MERMAID}, source sha256 ${sha256} -->\n${onWhite}\n`);
} finally {
  await browser.close();
}

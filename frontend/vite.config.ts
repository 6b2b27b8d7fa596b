import type { ProxyOptions } from 'vite';
import { defineConfig } from 'vite';

const API = process.env.STOCK_PLATFORM_API_URL || 'http://127.0.0.1:5000';
const HOST = process.env.STOCK_PLATFORM_LISTEN_HOST || '127.0.0.1';
const PORT = Number(process.env.STOCK_PLATFORM_FRONTEND_PORT || 3000);

/** A stream whose server dies must end for the browser too; left alone it would hang in silence. */
const passOnEnd: ProxyOptions['configure'] = (proxy) => {
  proxy.on('proxyRes', (upstream, _request, downstream) => {
    upstream.on('close', () => { if (!upstream.complete) downstream.destroy(); });
  });
};

// The page and the API share one origin, so that the local stack needs no CORS.
const PATHS = ['/stocks', '/market', '/quality', '/restatements', '/data-docs', '/stream', '/health', '/openapi.json', '/docs'];
const proxy: Record<string, ProxyOptions> = Object.fromEntries(PATHS.map((path) => [path, { target: API, configure: passOnEnd }]));

const server = { host: HOST, port: PORT, strictPort: true, proxy };

export default defineConfig(async ({ isPreview }) => ({
  // Preview only serves files: without the compiler its process is smaller.
  plugins: isPreview ? [] : [(await import('@vitejs/plugin-react')).default()],
  server,
  preview: server,
  build: { target: 'es2023', sourcemap: false, modulePreload: { polyfill: false } },
}));

#!/usr/bin/env node
import { existsSync } from 'node:fs';

// onnxruntime sends usage data to Microsoft without this. Everything that is started from here inherits it.
process.env.ORT_DISABLE_TELEMETRY = '1';

const main = new URL('../dist/main.js', import.meta.url);
if (!existsSync(main)) {
  console.error('tocsin is not built yet. Run `npm run build` in the checkout first.');
  process.exit(1);
}
await import(main.href);

/**
 * `npm run bench [-- names] [--corpus file.jsonl] [--peer python]`: measures the figures in the README. Speeds are
 * ratios to something measured in the same run.
 */
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benchApi, benchModerations } from './api.js';
import { benchDashboard } from './dashboard.js';
import { benchEngine } from './engine.js';
import { benchExpress } from './express.js';
import { benchFlood } from './flood.js';
import { benchGolden } from './golden.js';
import { benchLarge } from './large.js';
import { benchPeer } from './peer.js';
import { benchPipeline } from './pipeline.js';
import { benchPrecision } from './precision.js';
import { benchProducer } from './producer.js';
import { benchStart } from './start.js';
import { benchStream } from './stream.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { corpus: { type: 'string' }, peer: { type: 'string' } },
});

const benchmarks: Record<string, (dir: string) => Promise<void>> = {
  golden: () => benchGolden(),
  engine: (dir) => benchEngine(dir, values.corpus),
  pipeline: (dir) => benchPipeline(dir, values.corpus),
  peer: (dir) => benchPeer(dir, values.corpus, values.peer),
  stream: (dir) => benchStream(dir, values.corpus, values.peer),
  start: (dir) => benchStart(dir),
  precision: (dir) => benchPrecision(dir, values.corpus),
  large: (dir) => benchLarge(dir),
  producer: (dir) => benchProducer(dir),
  express: (dir) => benchExpress(dir),
  flood: (dir) => benchFlood(dir),
  moderations: (dir) => benchModerations(dir),
  api: (dir) => benchApi(dir),
  dashboard: (dir) => benchDashboard(dir),
};

/** Instruction sets that decide which kernels onnxruntime takes. */
const FEATURES = ['avx2', 'avx_vnni', 'avx512f', 'avx512_vnni', 'avx512_bf16', 'amx_int8', 'i8mm'];

/** Only on request: it takes minutes, and 24 GB of disk space. */
const BY_NAME_ONLY = ['large'];
const names =
  positionals.length > 0
    ? positionals
    : Object.keys(benchmarks).filter((name) => !BY_NAME_ONLY.includes(name));
console.log(await describeCpu());
const dir = await mkdtemp(join(tmpdir(), 'tocsin-bench-'));
// As root, the embedded server runs as another user, which needs access to its directory.
await chmod(dir, 0o755);
try {
  for (const name of names) {
    const run = benchmarks[name];
    if (run === undefined) {
      console.error(`There is no benchmark ${name}; there are ${Object.keys(benchmarks).join(', ')}.`);
      process.exitCode = 1;
      break;
    }
    await run(dir);
  }
} finally {
  await rm(dir, { recursive: true, force: true });
}

/** The CPU's name, cores and instruction sets: speeds depend on them. */
async function describeCpu(): Promise<string> {
  const all = cpus();
  const info = await readFile('/proc/cpuinfo', 'utf8').catch(() => '');
  const flags = new Set(/^(?:flags|Features)\s*:(.*)$/m.exec(info)?.[1]?.trim().split(' '));
  const known = FEATURES.filter((feature) => flags.has(feature));
  return `CPU: ${all[0]?.model ?? 'unknown'}, ${all.length} cores${known.length === 0 ? '' : `, ${known.join(' ')}`}`;
}

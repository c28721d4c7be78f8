import { dirname } from 'node:path';
import { type BackboneSource, bytesText, resolveGuard, textOfPin } from '@tocsin/models';
import { Command } from 'commander';
import { BACKBONE_HELP } from '../options/guard-options.js';
import { EXIT, Interrupted, untilInterrupted } from '../terminal/interrupt.js';
import { withModelProgress } from '../terminal/model-progress.js';
import { factLines } from '../terminal/table.js';
import { bytesOfFiles } from './list.js';
import { openArtifact } from './show.js';

interface PullFlags {
  backbone?: string;
  cacheDir?: string;
}

/** `tocsin guards pull`: downloads all files of a guard into the caches, for machines without network access. */
export function pullCommand(): Command {
  return new Command('pull')
    .description('Fetch a guard and its backbone without scoring anything')
    .argument('<ref>', 'owner/name[@revision] on the hub, starter, or an artifact directory')
    .option('--backbone <path>', BACKBONE_HELP)
    .option(
      '--cache-dir <dir>',
      "cache directory of the starter's backbone (TOCSIN_CACHE); the hub's is HF_HOME",
    )
    .action(async (ref: string, flags: PullFlags) => {
      process.exitCode = await pull(ref, flags);
    });
}

async function pull(ref: string, flags: PullFlags): Promise<number> {
  const { signal, dispose } = untilInterrupted();
  try {
    const { name, artifact, backbone } = await withModelProgress((shown) =>
      resolveGuard(ref, { ...flags, ...shown, signal }),
    );
    // Better to reject an unsupported release now than on a machine without network access.
    const { task } = await openArtifact(artifact);
    const artifactBytes = await bytesOfFiles([artifact.config, artifact.weights]);
    console.log(
      factLines([
        ['guard', `${name} (${task})`],
        ['artifact', `${dirname(artifact.config)} (${bytesText(artifactBytes)})`],
        ...(backbone.pin === undefined ? [] : [['backbone', textOfPin(backbone.pin)] as const]),
        ['weights', await placeOf(backbone)],
      ]),
    );
    return EXIT.ok;
  } catch (error) {
    if (!(signal.aborted && signal.reason instanceof Interrupted)) throw error;
    console.error('Stopped. The same command resumes the download.');
    return EXIT.interrupted;
  } finally {
    dispose();
  }
}

async function placeOf(backbone: BackboneSource): Promise<string> {
  const place = backbone.kind === 'gguf' ? backbone.file : backbone.dir;
  return `${place} (${bytesText(await bytesOfFiles([place]))})`;
}

import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { countText } from '@tocsin/evaluate';
import {
  type ArtifactSource,
  bytesText,
  cachedRepo,
  labelOf,
  readNamedModel,
  repoUsage,
  resolveArtifact,
  textOfPin,
} from '@tocsin/models';
import { type Artifact, readArtifact } from '@tocsin/siren';
import { Command } from 'commander';
import { withModelProgress } from '../terminal/model-progress.js';
import { factLines } from '../terminal/table.js';
import { bytesOfFiles } from './list.js';

/** Output of `tocsin guards show`; `--json` prints it unchanged. */
interface GuardFacts {
  guard: string;
  directory: string;
  artifactBytes: number;
  task: Artifact['task'];
  backbone: {
    modelId: string;
    revision: string | null;
    ggufFile: string | null;
    hiddenSize: number | null;
    layers: number | null;
    /** Size of its repository in the hub's cache; 0 when it is not cached (it may be a directory). */
    cachedBytes: number;
  };
  /** Indices of the backbone layers read. A trajectory guard reads one. */
  layersRead: number[];
  /** Input size of the head. */
  features: number;
  /** Output sizes of its linear layers. */
  head: number[];
  maxTokens: number;
  threshold: number;
}

/** `tocsin guards show` */
export function showCommand(): Command {
  return new Command('show')
    .description('Show the details of a guard, without downloading its backbone')
    .argument('<ref>', 'owner/name[@revision] on the hub, starter, or an artifact directory')
    .option('--json', 'print the facts as JSON')
    .action(async (ref: string, flags: { json?: boolean }) => {
      const facts = await guardFacts(ref);
      console.log(flags.json === true ? JSON.stringify(facts) : factsText(facts));
    });
}

async function guardFacts(ref: string): Promise<GuardFacts> {
  const { artifact: source } = await withModelProgress((shown) => resolveArtifact(ref, shown));
  const artifact = await openArtifact(source);
  const { modelId, revision, ggufFile } = await readNamedModel(source.config);
  const cached = await cachedRepo(modelId);
  return {
    guard: source.pin === undefined ? labelOf(source) : textOfPin(source.pin),
    directory: dirname(source.config),
    artifactBytes: await bytesOfFiles([source.config, source.weights]),
    task: artifact.task,
    backbone: {
      modelId,
      revision: revision ?? null,
      ggufFile: ggufFile ?? null,
      hiddenSize: artifact.baseModel.hiddenSize ?? null,
      layers: artifact.baseModel.numLayers ?? null,
      cachedBytes: cached === undefined ? 0 : (await repoUsage(modelId)).bytes,
    },
    ...shapeOf(artifact),
    maxTokens: artifact.maxLength,
    threshold: artifact.defaultThreshold,
  };
}

function shapeOf(artifact: Artifact): Pick<GuardFacts, 'layersRead' | 'features' | 'head'> {
  if (artifact.task === 'trajectory') {
    return { layersRead: [artifact.blocks - 1], features: artifact.readout.weight.length, head: [1] };
  }
  return {
    layersRead: artifact.layers.map(({ index }) => index),
    features: artifact.layers.reduce((sum, { neurons }) => sum + neurons.length, 0),
    head: artifact.head.map(({ outputs }) => outputs),
  };
}

function factsText(facts: GuardFacts): string {
  const { backbone, task } = facts;
  const pinned = backbone.revision === null ? ' (at main: no revision is pinned)' : `@${backbone.revision}`;
  const of = backbone.layers === null ? '' : ` of ${backbone.layers}`;
  const states = task === 'content' ? 'neurons' : 'the state at the last token';
  return factLines([
    ['guard', facts.guard],
    ['task', task],
    ['artifact', `${facts.directory} (${bytesText(facts.artifactBytes)})`],
    ['backbone', `${backbone.modelId}${pinned}`],
    ...(backbone.ggufFile === null ? [] : [['file', backbone.ggufFile] as const]),
    ['in the cache', backbone.cachedBytes === 0 ? 'no' : bytesText(backbone.cachedBytes)],
    ['layers read', `${facts.layersRead.length}${of}: ${facts.layersRead.join(', ')}`],
    [
      'head',
      `${countText(facts.features)} (${states}) -> ${facts.head.map((width) => countText(width)).join(' -> ')}`,
    ],
    ['max tokens', countText(facts.maxTokens)],
    ['threshold', String(facts.threshold)],
  ]);
}

/** Reads and checks an artifact. */
export async function openArtifact({ config, weights }: ArtifactSource): Promise<Artifact> {
  return readArtifact(
    { file: config, bytes: await readFile(config) },
    { file: weights, bytes: await readFile(weights) },
  );
}

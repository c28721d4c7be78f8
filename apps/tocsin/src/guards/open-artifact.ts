import { readFile } from 'node:fs/promises';
import type { ArtifactSource } from '@tocsin/models';
import { type Artifact, readArtifact } from '@tocsin/siren';

/** An artifact, read and checked. */
export async function openArtifact({ config, weights }: ArtifactSource): Promise<Artifact> {
  return readArtifact(
    { file: config, bytes: await readFile(config) },
    { file: weights, bytes: await readFile(weights) },
  );
}

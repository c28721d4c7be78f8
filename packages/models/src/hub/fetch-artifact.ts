import { join } from 'node:path';
import { UserError } from '@tocsin/core';
import type { ArtifactSource } from '../resolve/sources.js';
import type { Hub } from './hub.js';
import type { HubRef } from './hub-ref.js';
import { Snapshot } from './snapshot.js';

export const CONFIG_FILE = 'siren_config.json';
export const WEIGHTS_FILE = 'siren.safetensors';

/**
 * An artifact of the hub, in the cache. Of a commit that the cache holds nothing is asked.
 *
 * The protocol was run against a server of our own (`@tocsin/models/testing`), never against the real hub: the machine that
 * this was written on could not reach it.
 * @throws UserError that says what to do
 */
export async function fetchArtifact(hub: Hub, ref: HubRef): Promise<ArtifactSource> {
  const snapshot = await Snapshot.open(hub, ref);
  const wanted = [CONFIG_FILE, WEIGHTS_FILE];
  const missing: string[] = [];
  for (const file of wanted) if (!(await snapshot.has(file))) missing.push(file);
  if (missing.length > 0) {
    const remote = await snapshot.list(missing);
    const lacking = missing.filter((file) => !remote.has(file));
    if (lacking.length > 0) {
      throw new UserError(
        `${ref.repo}@${snapshot.pin.revision} is no guard: the repository lacks ${lacking.join(', ')}`,
        { hint: 'If it is a backbone: give it with --backbone, and the guard with --guard.' },
      );
    }
    await snapshot.download([...remote.values()], ref.repo);
  }
  await snapshot.settle();
  const { dir, pin } = snapshot;
  return { config: join(dir, CONFIG_FILE), weights: join(dir, WEIGHTS_FILE), pin };
}

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What the engine processes have scored, by their witnesses. */
export interface Passes {
  /** Forward passes that gave scores. */
  passes: number;
  /** Those of them whose contents all had a score from a pass before. */
  rerun: number;
  /** Contents that were scored, each time counted. */
  scored: number;
  /** Of these, each time but a content's first. */
  scoredAgain: number;
}

/** @param contents hashes of the contents that there are, in hex: what else was scored was for measuring costs */
export async function readPasses(dir: string, contents: ReadonlySet<string>): Promise<Passes> {
  const seen = new Set<string>();
  const counts = { passes: 0, rerun: 0, scored: 0, scoredAgain: 0 };
  for (const name of await readdir(dir)) {
    // The last line of a process that was killed may be cut short.
    const lines = (await readFile(join(dir, name), 'utf8')).split('\n').slice(0, -1);
    for (const line of lines) {
      const scored = line.split(' ').filter((content) => contents.has(content));
      if (scored.length === 0) continue;
      const again = scored.filter((content) => seen.has(content)).length;
      counts.passes++;
      if (again === scored.length) counts.rerun++;
      counts.scored += scored.length;
      counts.scoredAgain += again;
      for (const content of scored) seen.add(content);
    }
  }
  return counts;
}

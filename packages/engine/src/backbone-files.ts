import { join } from 'node:path';
import { weightFilesOf } from '@tocsin/backbone';
import type { BackboneSource } from '@tocsin/models';

/** The files of a backbone that can change a score, in a fixed order: configuration, tokenizer, weights. */
export async function backboneFiles(source: BackboneSource): Promise<string[]> {
  if (source.kind === 'gguf') return [source.file];
  const { files } = await weightFilesOf(source.dir);
  return [join(source.dir, 'config.json'), join(source.dir, 'tokenizer.json'), ...files];
}

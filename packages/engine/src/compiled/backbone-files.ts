import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { weightFilesOf } from '@tocsin/backbone';
import type { BackboneSource } from '@tocsin/models';
import type { Task } from '@tocsin/siren';
import { CHAT_FORMAT_FILES } from '../items/chat-format-source.js';

/**
 * The files of a backbone that can change a score, in a fixed order: configuration, tokenizer, weights. For trajectory
 * guards also those with the chat template.
 */
export async function backboneFiles(source: BackboneSource, task: Task): Promise<string[]> {
  if (source.kind === 'gguf') return [source.file];
  const { files } = await weightFilesOf(source.dir);
  const rendering = task === 'trajectory' ? CHAT_FORMAT_FILES : [];
  return [
    join(source.dir, 'config.json'),
    join(source.dir, 'tokenizer.json'),
    ...rendering.map((name) => join(source.dir, name)).filter(existsSync),
    ...files,
  ];
}

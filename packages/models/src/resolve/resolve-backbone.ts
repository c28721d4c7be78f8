import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { messageOf, UserError } from '@tocsin/core';
import { pathKind } from './path-kind.js';
import type { BackboneSource } from './sources.js';

const SINGLE_FILE = 'model.safetensors';
const SHARD_INDEX = 'model.safetensors.index.json';

const WHAT_A_BACKBONE_IS =
  `A backbone is a directory with config.json, tokenizer.json and ${SINGLE_FILE} (or ${SHARD_INDEX} and its shards), ` +
  'a directory that holds one .gguf file, or a .gguf file.';

/**
 * Look at a backbone on the disk: which kind it is, and that its pieces are there (what is in them is the checkpoint
 * reader's affair).
 *
 * A directory with safetensors weights is taken as such, also when a .gguf file lies beside them: they are the ones
 * the guard was trained on.
 *
 * @param path a directory or a .gguf file
 * @throws UserError naming what is missing
 */
export async function resolveBackbone(path: string): Promise<BackboneSource> {
  const absolute = resolve(path);
  const kind = await pathKind(absolute);
  if (kind === 'nothing') {
    throw new UserError(`the backbone ${absolute} does not exist`, { hint: WHAT_A_BACKBONE_IS });
  }
  if (kind === 'directory') return ofDirectory(absolute);
  if (kind === 'file' && isGguf(absolute)) return { kind: 'gguf', file: absolute };
  throw new UserError(`the backbone ${absolute} is neither a directory nor a .gguf file`, {
    hint: WHAT_A_BACKBONE_IS,
  });
}

async function ofDirectory(dir: string): Promise<BackboneSource> {
  const names = await readdir(dir).catch((cause) => {
    throw new UserError(`cannot read the backbone directory ${dir}: ${messageOf(cause)}`, { cause });
  });
  const ggufs = names.filter(isGguf).sort();
  const hasWeights = names.includes(SINGLE_FILE) || names.includes(SHARD_INDEX);
  const [gguf] = ggufs;
  if (hasWeights || gguf === undefined) {
    requirePieces(dir, names, hasWeights);
    return { kind: 'safetensors', dir };
  }
  if (ggufs.length > 1) {
    throw new UserError(
      `the backbone directory ${dir} holds ${ggufs.length} .gguf files: ${ggufs.join(', ')}`,
      {
        hint: 'Give the path of the one to use.',
      },
    );
  }
  return { kind: 'gguf', file: join(dir, gguf) };
}

function requirePieces(dir: string, names: readonly string[], hasWeights: boolean): void {
  const missing = ['config.json', 'tokenizer.json'].filter((name) => !names.includes(name));
  if (!hasWeights) missing.push(`${SINGLE_FILE} (or ${SHARD_INDEX})`);
  if (missing.length === 0) return;
  const pickled = names.find((name) => /^pytorch_model.*\.bin$/.test(name));
  const hint =
    !hasWeights && pickled !== undefined
      ? `${pickled} is not read: it is a pickle, which can run code. Take the model's safetensors files.`
      : WHAT_A_BACKBONE_IS;
  throw new UserError(`the backbone directory ${dir} lacks ${missing.join(', ')}`, { hint });
}

function isGguf(name: string): boolean {
  return name.toLowerCase().endsWith('.gguf');
}

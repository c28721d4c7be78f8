import { open } from 'node:fs/promises';
import { messageOf, UserError } from '@tocsin/core';
import { ByteCursor, damaged, quote, unsupported } from './byte-cursor.js';
import { type GgufTensor, readGgufTensor } from './gguf-tensor.js';
import { checkUnreadTensor, type GgufHeader, placeTensor, readHeader } from './header.js';
import type { Metadata } from './metadata.js';
import { llama3RopeScaling, type ModelShape, modelConfig, readModelShape } from './model-config.js';
import { tokenizerConfig } from './special-tokens.js';
import { ARCHITECTURES, type Architecture, tensorRole } from './tensor-name.js';
import { tokenizerJson } from './tokenizer-json.js';

/** A GGUF file presented as a Hugging Face directory. */
export interface GgufFile {
  path: string;
  metadata: Metadata;
  /** config.json */
  config: Record<string, unknown>;
  /** tokenizer.json */
  tokenizerJson: Record<string, unknown>;
  /** tokenizer_config.json: special tokens by name, chat template. */
  tokenizerConfig: Record<string, unknown>;
  /** By Hugging Face name. Without the lm_head, which no guard reads. */
  tensors: ReadonlyMap<string, GgufTensor>;
}

/**
 * Opens a GGUF file of a Llama or Qwen3 model. Reads and checks everything but the weights, so that `readGgufTensor`
 * can only fail if the file changes.
 * @throws UserError naming the file, the key or tensor, the value found and the one expected
 */
export async function openGguf(path: string): Promise<GgufFile> {
  const header = await readHeaderOf(path);
  const { metadata } = header;
  const architecture = architectureOf(metadata);
  const shape = readModelShape(metadata, architecture);
  const { tensors, ropeFactors } = sortTensors(header, architecture, shape);

  const embedding = tensors.get('model.embed_tokens.weight');
  if (embedding === undefined) throw damaged(path, 'tensor "token_embd.weight" is missing');
  const vocabulary = metadata.get('tokenizer.ggml.tokens', 'strings').length;
  if (embedding.shape[0] !== vocabulary) {
    throw damaged(
      path,
      `tensor "token_embd.weight" has ${embedding.shape[0]} rows; metadata key "tokenizer.ggml.tokens" has ${vocabulary} tokens`,
    );
  }
  const names = [...tensors.keys()];
  const facts = {
    vocabSize: vocabulary,
    tied: !header.tensors.some(({ name }) => name === 'output.weight'),
    attentionBias: names.some((name) => /\.self_attn\.\w+\.bias$/.test(name)),
    mlpBias: names.some((name) => /\.mlp\.\w+\.bias$/.test(name)),
  };
  const scaling = ropeFactors === undefined ? undefined : await ropeScalingOf(metadata, ropeFactors, shape);
  return {
    path,
    metadata,
    config: modelConfig(metadata, architecture, shape, facts, scaling),
    tokenizerJson: tokenizerJson(metadata),
    tokenizerConfig: tokenizerConfig(metadata),
    tensors,
  };
}

async function readHeaderOf(path: string): Promise<GgufHeader> {
  const handle = await open(path).catch((cause: unknown) => {
    throw new UserError(`${path} cannot be opened: ${messageOf(cause)}`, { cause });
  });
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new UserError(`${path} is no file; expected a GGUF file`);
    return readHeader(new ByteCursor(path, handle.fd, stat.size));
  } finally {
    await handle.close();
  }
}

function architectureOf(metadata: Metadata): Architecture {
  const type = metadata.find('general.type', 'string') ?? 'model';
  if (type !== 'model') {
    throw unsupported(metadata.path, `metadata key "general.type" is ${quote(type)}; supported is "model"`);
  }
  const parts = metadata.find('split.count', 'integer') ?? 1;
  if (parts > 1) {
    throw unsupported(
      metadata.path,
      `the file is one of ${parts} parts ("split.count"); supported are models in one file`,
      'Join the parts with llama-gguf-split --merge.',
    );
  }
  const name = metadata.get('general.architecture', 'string');
  const architecture = ARCHITECTURES.find((known) => known === name);
  if (architecture === undefined) {
    throw unsupported(
      metadata.path,
      `metadata key "general.architecture" is ${quote(name)}; supported are ${ARCHITECTURES.join(', ')}`,
    );
  }
  return architecture;
}

/** Sorts every tensor of the file into read, ignored or rejected. */
function sortTensors(
  header: GgufHeader,
  architecture: Architecture,
  shape: ModelShape,
): { tensors: Map<string, GgufTensor>; ropeFactors: GgufTensor | undefined } {
  const tensors = new Map<string, GgufTensor>();
  let ropeFactors: GgufTensor | undefined;
  for (const info of header.tensors) {
    const role = tensorRole(info.name, architecture, shape.layers);
    const placed = (name: string, interleavedHeads?: number): GgufTensor => ({
      name,
      ggufName: info.name,
      file: header.path,
      interleavedHeads,
      ...placeTensor(header, info),
    });
    switch (role.kind) {
      case 'weight': {
        const tensor = placed(role.name, interleavedHeadsOf(role.part, architecture, shape));
        checkHeadRows(tensor, shape.headDim);
        tensors.set(role.name, tensor);
        break;
      }
      case 'rope-factors':
        ropeFactors = placed(info.name);
        break;
      case 'unread':
        checkUnreadTensor(header, info);
        break;
      case 'refused':
        throw unsupported(
          header.path,
          `tensor "${info.name}" is no part of a ${architecture} model of ${shape.layers} layers, and leaving it out would change the numbers`,
        );
    }
  }
  return { tensors, ropeFactors };
}

/** ggml rotates Llama's heads in its own order, and converters reorder q and k for it; Qwen3's stay unchanged. */
function interleavedHeadsOf(part: string, architecture: Architecture, shape: ModelShape): number | undefined {
  if (architecture !== 'llama') return undefined;
  if (part.startsWith('attn_q.')) return shape.heads;
  if (part.startsWith('attn_k.')) return shape.keyValueHeads;
  return undefined;
}

function checkHeadRows(tensor: GgufTensor, headDim: number): void {
  if (tensor.interleavedHeads === undefined) return;
  const rows = tensor.interleavedHeads * headDim;
  if (tensor.shape[0] !== rows) {
    throw damaged(
      tensor.file,
      `tensor "${tensor.ggufName}" has ${tensor.shape[0]} rows; ${tensor.interleavedHeads} heads of ${headDim} make ${rows}`,
    );
  }
}

async function ropeScalingOf(
  metadata: Metadata,
  factors: GgufTensor,
  shape: ModelShape,
): Promise<Record<string, unknown>> {
  const typeKey = 'llama.rope.scaling.type';
  const type = metadata.find(typeKey, 'string') ?? 'none';
  if (type !== 'none') {
    throw unsupported(
      metadata.path,
      `metadata key "${typeKey}" is ${quote(type)}, and tensor "${factors.ggufName}" scales too; expected one of them`,
    );
  }
  const scaling = llama3RopeScaling(await readGgufTensor(factors), shape.ropeTheta, shape.headDim);
  if (scaling === undefined) {
    throw unsupported(
      metadata.path,
      `tensor "${factors.ggufName}" has rotary factors other than those of Llama 3.1 to 3.3 (low 1, high 4, original length 8192)`,
    );
  }
  return scaling;
}

import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  BATCH_INPUTS,
  type BackboneConfig,
  BLOCK_PEAKS,
  BLOCK_RESULT,
  BLOCK_STATES,
  buildBlockGraph,
  type Calibration,
  numericsOf,
  storeWeights,
} from '@tocsin/backbone';
import { packBatch } from '../batches/batch-session.js';
import { Tokenizer } from '../items/tokenizer.js';
import { InferenceSession, Tensor } from '../process/onnxruntime.js';
import { sessionOptions } from '../process/session-options.js';
import { CALIBRATION_TEXTS } from './calibration-texts.js';

/** Tokens of a text that are read. Outliers are at its beginning. */
const MAX_LENGTH = 64;

/**
 * Measures activations by running one block after another in float32, in this process. Memory holds one block.
 * @param scratch       a directory for one block's weights; created and removed
 * @param tokenizerFile the backbone's `tokenizer.json`
 */
export async function openCalibration(
  scratch: string,
  tokenizerFile: string,
  config: BackboneConfig,
): Promise<Calibration> {
  const tokenizer = await Tokenizer.open(tokenizerFile, MAX_LENGTH);
  const texts = await tokenizer.encode([...CALIBRATION_TEXTS]);
  const rows = texts.map(({ tokenIds }) => tokenIds).filter(({ length }) => length > 0);
  const tokenIds = Int32Array.from(rows.flatMap((row) => [...row]));
  const batch = packBatch(
    'content',
    tokenIds,
    Int32Array.from(rows, ({ length }) => length),
  );
  const layout = {
    [BATCH_INPUTS.padIndex]: new Tensor('int64', batch.padIndex, [batch.rows, batch.longest]),
    [BATCH_INPUTS.unpadIndex]: new Tensor('int64', batch.unpadIndex, [batch.tokens]),
    [BATCH_INPUTS.longest]: new Tensor('int32', Int32Array.of(batch.longest), []),
  };
  return {
    tokenIds,
    runBlock: async (layer, tensors, states) => {
      await mkdir(scratch, { recursive: true });
      try {
        const placed = await storeWeights(tensors, scratch, numericsOf('float32', 'cpu'));
        const file = join(scratch, 'block.onnx');
        await writeFile(file, buildBlockGraph(config, layer, placed, MAX_LENGTH));
        const session = await InferenceSession.create(
          file,
          sessionOptions({ device: { kind: 'cpu', index: 0 }, threads: 0 }),
        );
        const dims = [batch.tokens, config.hiddenSize];
        const outputs = await session.run({ ...layout, [BLOCK_STATES]: new Tensor('float32', states, dims) });
        // Copies: the session's memory is released.
        const read = (name: string): Float32Array => {
          const data = outputs[name]?.data;
          if (!(data instanceof Float32Array)) throw new Error(`the block gave no float32 ${name}`);
          return data.slice();
        };
        const result = { states: read(BLOCK_RESULT), peaks: read(BLOCK_PEAKS) };
        await session.release();
        return result;
      } finally {
        await rm(scratch, { recursive: true, force: true });
      }
    },
  };
}

import {
  newKeys,
  newValues,
  PREFIX_INPUTS,
  PREFIX_MEANS,
  PREFIX_SCORES,
  pastKeys,
  pastValues,
} from '@tocsin/backbone';
import type { Task } from '@tocsin/siren';
import type { EngineOptions, PrefixRequest, PrefixRow } from '../process/engine-protocol.js';
import { loadModel } from '../process/load-model.js';
import { type InferenceSession, Tensor } from '../process/onnxruntime.js';
import { PrefixMemories, type PrefixMemory, type Remembered, type TokenWidths } from './prefix-memory.js';
import { type NewTokens, type Piece, packPrefixes, planPasses } from './prefix-passes.js';

/** Maximum memory of all streams in an engine process, in bytes. */
const MEMORY_BYTES = 2 ** 30;

/** A guard's loaded prefix model, with the memories of its streams. */
export class PrefixSession {
  readonly #session: InferenceSession;
  readonly #task: Task;
  readonly #widths: TokenWidths;
  readonly #memories: PrefixMemories;

  private constructor(session: InferenceSession, task: Task) {
    this.#session = session;
    this.#task = task;
    this.#widths = widthsOf(session);
    this.#memories = new PrefixMemories(this.#widths, MEMORY_BYTES);
  }

  static async load(options: EngineOptions): Promise<PrefixSession> {
    return new PrefixSession(await loadModel(options), options.task);
  }

  /**
   * The score of every prefix of each row, one per token. Computes only tokens that are new to the stream. Blocks the
   * process.
   * @returns one array per row, and another with the features of all rows on request
   */
  async run({ rows, features = false }: Pick<PrefixRequest, 'rows' | 'features'>): Promise<Float32Array[]> {
    const memories = rows.map(({ stream, tokenIds }) => {
      const memory = this.#memories.of(stream);
      memory.truncate(memory.sharedWith(tokenIds));
      return memory;
    });
    const parts = rows.map(({ tokenIds }, i) => ({ from: memories[i]?.length ?? 0, to: tokenIds.length }));
    for (const pass of planPasses(parts)) await this.#pass(rows, memories, pass);
    // The memories are reused, so results must be copies.
    const scores = rows.map(({ tokenIds }, i) => memories[i]?.first(tokenIds.length).scores.slice());
    const means = rows.map(({ tokenIds }, i) => {
      const all = memories[i]?.first(tokenIds.length).means ?? new Float32Array();
      return all.slice(all.length - this.#widths.means);
    });
    this.#memories.shrink();
    const ofRows = scores.map((ofRow) => ofRow ?? new Float32Array());
    return features ? [...ofRows, concatenate(means)] : ofRows;
  }

  forget(stream: number): void {
    this.#memories.forget(stream);
  }

  async #pass(rows: readonly PrefixRow[], memories: readonly PrefixMemory[], pass: Piece[]): Promise<void> {
    const pieces = pass.map(({ row, from, count }) => {
      const tokenIds = rows[row]?.tokenIds.subarray(from, from + count) ?? new Int32Array();
      const memory = memories[row];
      if (memory?.length !== from)
        throw new Error(`row ${row} of a pass does not continue at its next token`);
      return { memory, past: memory.first(from), new: { tokenIds, past: from } };
    });
    const feeds = this.#feeds(
      pieces.map((piece) => piece.new),
      pieces.map((piece) => piece.past),
    );
    const outputs = await this.#session.run(feeds);
    const read = (name: string): Float32Array => {
      const data = outputs[name]?.data;
      if (data instanceof Float32Array) return data;
      throw new Error(`the model gave no ${name}`);
    };
    const scores = read(PREFIX_SCORES);
    const bad = scores.findIndex((score) => !(score >= 0 && score <= 1));
    if (bad >= 0) throw new Error(`token ${bad} of the pass scored ${scores[bad]}, which is no probability`);
    const { means, keys } = this.#widths;
    const perToken = {
      means: this.#task === 'content' ? read(PREFIX_MEANS) : new Float32Array(),
      keys: this.#perLayer((layer) => read(newKeys(layer))),
      values: this.#perLayer((layer) => read(newValues(layer))),
    };
    let first = 0;
    for (const { memory, new: added } of pieces) {
      const end = first + added.tokenIds.length;
      const part = (data: Float32Array, width: number): Float32Array =>
        data.subarray(first * width, end * width);
      memory.append({
        tokenIds: added.tokenIds,
        scores: part(scores, 1),
        means: part(perToken.means, means),
        keys: perToken.keys.map((data) => part(data, keys)),
        values: perToken.values.map((data) => part(data, keys)),
      });
      first = end;
    }
  }

  #feeds(added: NewTokens[], pasts: Remembered[]): Record<string, Tensor> {
    const packed = packPrefixes(this.#task, added);
    const { rows, tokens, longest, keys } = packed;
    const pastTokens = pasts.reduce((sum, { tokenIds }) => sum + tokenIds.length, 0);
    const pastDims = [pastTokens, this.#widths.keys];
    const feeds: Record<string, Tensor> = {
      [PREFIX_INPUTS.tokenIds]: new Tensor('int64', packed.tokenIds, [tokens]),
      [PREFIX_INPUTS.positions]: new Tensor('int64', packed.positions, [tokens, 1]),
      [PREFIX_INPUTS.padIndex]: new Tensor('int64', packed.padIndex, [rows, longest]),
      [PREFIX_INPUTS.unpadIndex]: new Tensor('int64', packed.unpadIndex, [tokens]),
      [PREFIX_INPUTS.keyIndex]: new Tensor('int64', packed.keyIndex, [rows, keys]),
      [PREFIX_INPUTS.mask]: new Tensor('bool', packed.mask, [rows, 1, longest, keys]),
    };
    for (let layer = 0; layer < this.#widths.layers; layer++) {
      const past = (kind: 'keys' | 'values'): Tensor =>
        new Tensor(
          'float32',
          concatenate(pasts.map((of) => of[kind][layer] ?? new Float32Array())),
          pastDims,
        );
      feeds[pastKeys(layer)] = past('keys');
      feeds[pastValues(layer)] = past('values');
    }
    if (this.#task === 'content') {
      feeds[PREFIX_INPUTS.pooling] = new Tensor('float32', packed.pooling, [tokens, tokens]);
      feeds[PREFIX_INPUTS.pastShare] = new Tensor('float32', packed.pastShare, [tokens, rows]);
      const sums = concatenate(pasts.map((past) => lastSums(past, this.#widths.means)));
      feeds[PREFIX_INPUTS.pastSums] = new Tensor('float32', sums, [rows, this.#widths.means]);
    }
    return feeds;
  }

  #perLayer<T>(of: (layer: number) => T): T[] {
    return Array.from({ length: this.#widths.layers }, (_, layer) => of(layer));
  }
}

/** The neurons' sums over a row's past: their mean at its last token, times its tokens. */
function lastSums({ tokenIds, means }: Remembered, width: number): Float32Array {
  if (tokenIds.length === 0) return new Float32Array(width);
  return means.subarray(means.length - width).map((mean) => mean * tokenIds.length);
}

function concatenate(arrays: Float32Array[]): Float32Array {
  const [only, ...others] = arrays;
  if (only !== undefined && others.length === 0) return only;
  const all = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const array of arrays) {
    all.set(array, at);
    at += array.length;
  }
  return all;
}

/** The sizes of a token's state, from the model's inputs. */
function widthsOf(session: InferenceSession): TokenWidths {
  const widthOf = (name: string): number => {
    const input = session.inputMetadata.find((metadata) => metadata.name === name);
    const width = input?.isTensor === true ? input.shape.at(-1) : undefined;
    return typeof width === 'number' ? width : 0;
  };
  let layers = 0;
  while (session.inputNames.includes(pastKeys(layers))) layers++;
  return { means: widthOf(PREFIX_INPUTS.pastSums), keys: widthOf(pastKeys(0)), layers };
}

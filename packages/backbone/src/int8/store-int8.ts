import { join } from 'node:path';
import type { BackboneConfig } from '../checkpoint/backbone-config.js';
import { EMBEDDING, FINAL_NORM, layerTensor } from '../checkpoint/tensor-plan.js';
import type { PlacedWeight, RoundedTensor } from '../checkpoint/weight-source.js';
import { type ReadableTensor, readSlabs } from '../store/read-slabs.js';
import { encodeFloats, TensorFile, type TensorSpec } from '../store/tensor-file.js';
import { Matrix, roundChannels } from './matrix.js';
import { Rotation } from './rotation.js';
import type { Rounding } from './rounded-layers.js';
import { outlierCount, planNeurons } from './smoothing.js';

const WEIGHTS = 'weights-0.safetensors';
/** The weight of the final norm, which is applied after rotating back. */
export const UNROTATED_FINAL_NORM = 'model.norm.own';

/** Runs the backbone's blocks in float32 over the calibration texts, in order. */
export interface Calibration {
  /** Tokens of all texts, concatenated. */
  tokenIds: Int32Array;
  /**
   * @param states [tokens, hidden], before the block
   * @param tensors the block's own, as in the checkpoint
   * @returns states after it, and the largest |activation| of each neuron of its MLP
   */
  runBlock(
    layer: number,
    tensors: ReadonlyMap<string, ReadableTensor>,
    states: Float32Array,
  ): Promise<{ states: Float32Array; peaks: Float32Array }>;
}

/** Which inputs a linear layer has: see `Rounding`. v_proj stays in float32: its result for a row's first token must nearly cancel. */
const ROUNDINGS: Record<string, Rounding> = {
  'self_attn.q_proj': 'fixed',
  'self_attn.k_proj': 'fixed',
  'self_attn.o_proj': 'token',
  'mlp.gate_proj': 'fixed',
  'mlp.up_proj': 'fixed',
  'mlp.down_proj': 'token',
};

/**
 * Writes a backbone's weights into `target` for 8-bit arithmetic on a CPU, one block at a time. Before rounding, the
 * weights are changed so that less is lost and the result is the same:
 * - each norm's weight is folded into the layers that read it;
 * - the residual stream is rotated, and the values of each attention head (QuaRot): see `Rotation`;
 * - activations of the MLP's neurons are made more equal, and a few neurons stay in float32: see `planNeurons`.
 * Taps of the resulting graph are rotated and must be turned back.
 * @throws UserError when a tensor cannot be read
 */
export async function storeInt8(
  tensors: ReadonlyMap<string, ReadableTensor>,
  config: BackboneConfig,
  lastLayer: number,
  target: string,
  calibration: Calibration,
): Promise<Map<string, PlacedWeight>> {
  const writer = await Int8Writer.create(tensors, config, lastLayer, target);
  let failed = true;
  try {
    let states = await writer.writeEmbedding(calibration.tokenIds);
    for (let layer = 0; layer <= lastLayer; layer++) {
      const own = tensorsOf(tensors, layer);
      const result = await calibration.runBlock(layer, own, states);
      states = result.states;
      await writer.writeBlock(layer, result.peaks);
    }
    await writer.writeFinalNorm();
    failed = false;
  } finally {
    await writer.close({ failed });
  }
  return writer.placed();
}

function tensorsOf(
  tensors: ReadonlyMap<string, ReadableTensor>,
  layer: number,
): ReadonlyMap<string, ReadableTensor> {
  return new Map([...tensors].filter(([name]) => name.startsWith(layerTensor(layer, ''))));
}

class Int8Writer {
  readonly #tensors: ReadonlyMap<string, ReadableTensor>;
  readonly #config: BackboneConfig;
  readonly #file: TensorFile;
  readonly #specs: TensorSpec[];
  readonly #rounded: Map<string, Rounding>;
  readonly #residual: Rotation;
  readonly #head: Rotation;

  private constructor(
    tensors: ReadonlyMap<string, ReadableTensor>,
    config: BackboneConfig,
    file: TensorFile,
    specs: TensorSpec[],
    rounded: Map<string, Rounding>,
  ) {
    this.#tensors = tensors;
    this.#config = config;
    this.#file = file;
    this.#specs = specs;
    this.#rounded = rounded;
    this.#residual = new Rotation(config.hiddenSize);
    this.#head = new Rotation(config.headDim);
  }

  static async create(
    tensors: ReadonlyMap<string, ReadableTensor>,
    config: BackboneConfig,
    lastLayer: number,
    target: string,
  ): Promise<Int8Writer> {
    const rounded = new Map<string, Rounding>();
    const specs: TensorSpec[] = [];
    const float = (name: string, shape: readonly number[]): void =>
      void specs.push({ name, dtype: 'F32', shape });
    for (const [name, { shape }] of tensors) {
      if (name === EMBEDDING) {
        specs.push({ name, dtype: 'F16', shape });
        continue;
      }
      const rounding = roundingOf(name);
      if (rounding === undefined) float(name, shape);
      else {
        const [outputs = 0, inputs = 0] = shape;
        rounded.set(name, rounding);
        specs.push({ name: `${name}.codes`, dtype: 'I8', shape: [inputs, outputs] });
        float(`${name}.scales`, [outputs]);
      }
      if (name === FINAL_NORM) float(UNROTATED_FINAL_NORM, shape);
    }
    const outliers = outlierCount(config.intermediateSize);
    for (let layer = 0; layer <= lastLayer; layer++) {
      for (const part of ['gate', 'up']) {
        float(layerTensor(layer, `mlp.outlier_${part}.weight`), [outliers, config.hiddenSize]);
        if (config.mlpBias) float(layerTensor(layer, `mlp.outlier_${part}.bias`), [outliers]);
      }
      float(layerTensor(layer, 'mlp.outlier_down.weight'), [config.hiddenSize, outliers]);
    }
    const file = await TensorFile.create(join(target, WEIGHTS), specs);
    return new Int8Writer(tensors, config, file, specs, rounded);
  }

  /** Writes the rotated embedding. @returns the embedding of the given tokens, not rotated: [tokens, hidden] */
  async writeEmbedding(tokenIds: Int32Array): Promise<Float32Array> {
    const { hiddenSize } = this.#config;
    const places = new Map<number, number[]>();
    for (const [place, id] of tokenIds.entries()) places.set(id, [...(places.get(id) ?? []), place]);
    const states = new Float32Array(tokenIds.length * hiddenSize);
    let first = 0;
    for await (const slab of readSlabs(this.#tensor(EMBEDDING))) {
      const rows = slab.length / hiddenSize;
      const matrix = new Matrix(rows, hiddenSize, slab);
      for (let row = 0; row < rows; row++) {
        for (const place of places.get(first + row) ?? []) states.set(matrix.row(row), place * hiddenSize);
      }
      matrix.rotateRows(this.#residual);
      await this.#file.append(EMBEDDING, encodeFloats(slab, 'F16'));
      first += rows;
    }
    return states;
  }

  /** @param peaks largest |activation| of each neuron of the block's MLP */
  async writeBlock(layer: number, peaks: Float32Array): Promise<void> {
    await this.#writeAttention(layer);
    await this.#writeMlp(layer, peaks);
    for (const part of ['input_layernorm.weight', 'post_attention_layernorm.weight']) {
      await this.#writeFloats(layerTensor(layer, part), new Float32Array(this.#config.hiddenSize).fill(1));
    }
  }

  async writeFinalNorm(): Promise<void> {
    if (!this.#tensors.has(FINAL_NORM)) return;
    const weight = await this.#read(FINAL_NORM);
    await this.#writeFloats(FINAL_NORM, new Float32Array(weight.length).fill(1));
    await this.#writeFloats(UNROTATED_FINAL_NORM, weight);
  }

  async #writeAttention(layer: number): Promise<void> {
    const name = (part: string): string => layerTensor(layer, `self_attn.${part}`);
    const norm = await this.#read(layerTensor(layer, 'input_layernorm.weight'));
    for (const part of ['q', 'k']) {
      await this.#writeLinear(
        name(`${part}_proj.weight`),
        await this.#afterNorm(name(`${part}_proj.weight`), norm),
      );
      await this.#copy(name(`${part}_proj.bias`));
      await this.#copy(name(`${part}_norm.weight`));
    }
    const values = (await this.#afterNorm(name('v_proj.weight'), norm)).transposed().rotateRows(this.#head);
    await this.#writeLinear(name('v_proj.weight'), values.transposed());
    await this.#copy(name('v_proj.bias'), this.#head);
    const out = (await this.#matrix(name('o_proj.weight'))).rotateRows(this.#head);
    await this.#writeLinear(name('o_proj.weight'), this.#intoResidual(out));
    await this.#copy(name('o_proj.bias'), this.#residual);
  }

  async #writeMlp(layer: number, peaks: Float32Array): Promise<void> {
    const name = (part: string): string => layerTensor(layer, `mlp.${part}`);
    const norm = await this.#read(layerTensor(layer, 'post_attention_layernorm.weight'));
    // [neurons, hidden], as gate_proj and up_proj.
    const down = this.#intoResidual(await this.#matrix(name('down_proj.weight'))).transposed();
    const plan = planNeurons(peaks, down.peaks());
    await this.#writeInward(name, 'gate', norm, plan.outliers, undefined);
    await this.#writeInward(name, 'up', norm, plan.outliers, plan.smoothing);
    const outlierDown = down.takeRows(plan.outliers).transposed();
    await this.#writeFloats(name('outlier_down.weight'), outlierDown.values);
    const scaled = down
      .scaleRows(plan.smoothing)
      .transposed()
      .mixRows(groupOf(this.#config.intermediateSize));
    await this.#writeLinear(name('down_proj.weight'), scaled);
    await this.#copy(name('down_proj.bias'), this.#residual);
  }

  /** gate_proj or up_proj, and its outlier neurons. */
  async #writeInward(
    name: (part: string) => string,
    part: 'gate' | 'up',
    norm: Float32Array,
    outliers: readonly number[],
    smoothing: Float32Array | undefined,
  ): Promise<void> {
    const inverse = smoothing?.map((factor) => 1 / factor);
    const weight = await this.#afterNorm(name(`${part}_proj.weight`), norm);
    await this.#writeFloats(name(`outlier_${part}.weight`), weight.takeRows(outliers).values);
    if (inverse !== undefined) weight.scaleRows(inverse);
    await this.#writeLinear(name(`${part}_proj.weight`), weight);
    if (!this.#tensors.has(name(`${part}_proj.bias`))) return;
    const bias = new Matrix(weight.rows, 1, await this.#read(name(`${part}_proj.bias`)));
    await this.#writeFloats(name(`outlier_${part}.bias`), bias.takeRows(outliers).values);
    if (inverse !== undefined) bias.scaleRows(inverse);
    await this.#writeFloats(name(`${part}_proj.bias`), bias.values);
  }

  /** A weight whose inputs come out of a norm: the norm's weight folded in, inputs rotated. [outputs, hidden] */
  async #afterNorm(name: string, norm: Float32Array): Promise<Matrix> {
    return (await this.#matrix(name)).scaleColumns(norm).rotateRows(this.#residual);
  }

  /** A weight whose outputs are added to the residual stream, with its outputs rotated. [hidden, inputs] */
  #intoResidual(weight: Matrix): Matrix {
    return weight.transposed().rotateRows(this.#residual).transposed();
  }

  /** Writes a linear layer's weight: rounded if it is planned so. */
  async #writeLinear(name: string, weight: Matrix): Promise<void> {
    if (!this.#rounded.has(name)) return this.#writeFloats(name, weight.values);
    const { codes, scales } = roundChannels(weight);
    await this.#file.append(`${name}.codes`, new Uint8Array(codes.buffer));
    await this.#writeFloats(`${name}.scales`, scales);
  }

  async #writeFloats(name: string, values: Float32Array): Promise<void> {
    await this.#file.append(name, encodeFloats(values, 'F32'));
  }

  /** Writes a vector, rotated if a rotation is given, if the checkpoint has it. */
  async #copy(name: string, rotation?: Rotation): Promise<void> {
    if (!this.#tensors.has(name)) return;
    const values = await this.#read(name);
    const matrix = new Matrix(1, values.length, values);
    await this.#writeFloats(name, rotation === undefined ? values : matrix.rotateRows(rotation).values);
  }

  async #matrix(name: string): Promise<Matrix> {
    const [rows = 0, columns = 0] = this.#tensor(name).shape;
    return new Matrix(rows, columns, await this.#read(name));
  }

  async #read(name: string): Promise<Float32Array> {
    const tensor = this.#tensor(name);
    const values = new Float32Array(tensor.shape.reduce((product, size) => product * size, 1));
    let at = 0;
    for await (const slab of readSlabs(tensor)) {
      values.set(slab, at);
      at += slab.length;
    }
    return values;
  }

  #tensor(name: string): ReadableTensor {
    const tensor = this.#tensors.get(name);
    if (tensor === undefined) throw new Error(`${name} was not planned`);
    return tensor;
  }

  async close(options: { failed: boolean }): Promise<void> {
    await this.#file.close(options);
  }

  placed(): Map<string, PlacedWeight> {
    const placed = new Map<string, PlacedWeight>();
    for (const { name } of this.#specs) {
      const weight = name.replace(/\.(codes|scales)$/, '');
      if (!this.#rounded.has(weight)) placed.set(name, this.#file.placed(name));
    }
    for (const [name, rounding] of this.#rounded) {
      const codes = this.#file.placed(`${name}.codes`);
      const scales = this.#file.placed(`${name}.scales`);
      const group = name.endsWith('.down_proj.weight') ? groupOf(this.#config.intermediateSize) : 1;
      placed.set(name, { rounding, group, codes, scales } satisfies RoundedTensor);
    }
    return placed;
  }
}

/** Neurons that are mixed before rounding: a spike of one is shared by all of its group. */
const GROUP = 64;

/** The largest power of two up to GROUP that divides a size. */
const groupOf = (size: number): number => Math.min(GROUP, size & -size);

function roundingOf(name: string): Rounding | undefined {
  const [, part = ''] = /^model\.layers\.\d+\.(.+)\.weight$/.exec(name) ?? [];
  return ROUNDINGS[part];
}

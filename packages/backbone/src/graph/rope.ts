/** Rotary position embedding as described in `config.json`. */
export interface Rope {
  theta: number;
  /** Llama 3.x: low frequencies are divided by `factor`, high ones unchanged, those between interpolated. */
  scaling: Llama3Scaling | undefined;
}

interface Llama3Scaling {
  factor: number;
  lowFreqFactor: number;
  highFreqFactor: number;
  originalMaxPositions: number;
}

/**
 * Cosines and sines of every position and frequency.
 * @param width of a head with padding; columns beyond headDim / 2 rotate nothing (cosine 1, sine 0)
 * @returns two tables of [positions, width / 2], row-major
 */
export function ropeTables(
  rope: Rope,
  headDim: number,
  positions: number,
  width = headDim,
): { cos: Float32Array; sin: Float32Array } {
  const frequencies = ropeFrequencies(rope, headDim);
  const half = width / 2;
  const cos = new Float32Array(positions * half).fill(1);
  const sin = new Float32Array(positions * half);
  for (let position = 0; position < positions; position++) {
    for (const [i, frequency] of frequencies.entries()) {
      // The reference multiplies in float32, and the rounding of angles affects scores.
      const angle = Math.fround(position * frequency);
      cos[position * half + i] = Math.cos(angle);
      sin[position * half + i] = Math.sin(angle);
    }
  }
  return { cos, sin };
}

/** Inverse frequencies, radians per position: [headDim / 2]. */
export function ropeFrequencies(rope: Rope, headDim: number): Float32Array {
  const frequencies = new Float32Array(headDim / 2);
  for (let i = 0; i < frequencies.length; i++) {
    const frequency = 1 / rope.theta ** ((2 * i) / headDim);
    frequencies[i] = rope.scaling === undefined ? frequency : scaleLlama3(frequency, rope.scaling);
  }
  return frequencies;
}

function scaleLlama3(frequency: number, scaling: Llama3Scaling): number {
  const { factor, lowFreqFactor, highFreqFactor, originalMaxPositions } = scaling;
  const wavelength = (2 * Math.PI) / frequency;
  if (wavelength < originalMaxPositions / highFreqFactor) return frequency;
  if (wavelength > originalMaxPositions / lowFreqFactor) return frequency / factor;
  const smooth = (originalMaxPositions / wavelength - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
  return ((1 - smooth) * frequency) / factor + smooth * frequency;
}

/** How a type lays out its elements: `elements` of them in each block of `bytes`. */
export interface Block {
  elements: number;
  bytes: number;
}

/** The types that can be read as float32. */
export const BLOCKS = {
  F32: { elements: 1, bytes: 4 },
  F16: { elements: 1, bytes: 2 },
  BF16: { elements: 1, bytes: 2 },
  Q8_0: { elements: 32, bytes: 34 },
  Q4_1: { elements: 32, bytes: 20 },
} as const satisfies Record<string, Block>;
export type TensorType = keyof typeof BLOCKS;

/** Names by ggml's numbers (enum ggml_type), for messages. Missing numbers are retired. */
const NAMES: Record<number, string> = {
  0: 'F32',
  1: 'F16',
  2: 'Q4_0',
  3: 'Q4_1',
  6: 'Q5_0',
  7: 'Q5_1',
  8: 'Q8_0',
  9: 'Q8_1',
  10: 'Q2_K',
  11: 'Q3_K',
  12: 'Q4_K',
  13: 'Q5_K',
  14: 'Q6_K',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  20: 'IQ4_NL',
  21: 'IQ3_S',
  22: 'IQ2_S',
  23: 'IQ4_XS',
  24: 'I8',
  25: 'I16',
  26: 'I32',
  27: 'I64',
  28: 'F64',
  29: 'IQ1_M',
  30: 'BF16',
  34: 'TQ1_0',
  35: 'TQ2_0',
  39: 'MXFP4',
};

/** The type with ggml's number `id`, if supported. */
export function readableType(id: number): TensorType | undefined {
  const name = NAMES[id];
  return name !== undefined && name in BLOCKS ? (name as TensorType) : undefined;
}

/** ggml's name of a type, for messages. */
export function typeName(id: number): string {
  return NAMES[id] ?? `number ${id}`;
}

/** ggml's number of a readable type. */
export function typeId(type: TensorType): number {
  return Number(Object.keys(NAMES).find((id) => NAMES[Number(id)] === type));
}

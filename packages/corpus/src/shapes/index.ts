import { openaiBatch } from './openai-batch.js';
import { openaiChat } from './openai-chat.js';
import { plainRows } from './plain-rows.js';
import type { Shape } from './shape.js';

/** What the records of a corpus can be. */
export const SHAPES = ['rows', 'openai-chat', 'openai-batch'] as const;
export type ShapeName = (typeof SHAPES)[number];

export const SHAPE_OF = {
  rows: plainRows,
  'openai-chat': openaiChat,
  'openai-batch': openaiBatch,
} as const satisfies Record<ShapeName, Shape>;

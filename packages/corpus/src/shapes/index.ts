import type { ShapeName } from '@tocsin/core';
import { openaiBatch } from './openai-batch.js';
import { openaiChat } from './openai-chat.js';
import { plainRows } from './plain-rows.js';
import type { Shape } from './shape.js';

export const SHAPE_OF = {
  rows: plainRows,
  'openai-chat': openaiChat,
  'openai-batch': openaiBatch,
} as const satisfies Record<ShapeName, Shape>;

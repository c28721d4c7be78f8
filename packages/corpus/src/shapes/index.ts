import type { ShapeName } from '@tocsin/core';
import { readRow, wanted } from '../rows/parse-row.js';
import { openaiBatch } from './openai-batch.js';
import { openaiChat } from './openai-chat.js';
import type { Shape } from './shape.js';

/** Each record is a row: a text, a prompt and/or a response, or messages with tools. */
const plainRows: Shape = {
  expected: (fields) => `a JSON object with ${wanted(fields)} was expected`,
  columns: (fields) => Object.values(fields),
  contentColumns: ({ text, prompt, response, messages }) => [text, prompt, response, messages],
  textColumns: ({ text, prompt, response }) => [text, prompt, response],
  jsonColumns: ({ messages, tools }) => [messages, tools],
  rows: (record, fields, keep) => [readRow(record, fields, keep)],
};

export const SHAPE_OF = {
  rows: plainRows,
  'openai-chat': openaiChat,
  'openai-batch': openaiBatch,
} as const satisfies Record<ShapeName, Shape>;

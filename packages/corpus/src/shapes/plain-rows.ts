import { readRow, wanted } from '../rows/parse-row.js';
import type { Shape } from './shape.js';

/** A record is a row: a text, or a prompt and/or a response, or messages with tools. */
export const plainRows: Shape = {
  expected: (fields) => `a JSON object with ${wanted(fields)} was expected`,
  columns: (fields) => Object.values(fields),
  contentColumns: ({ text, prompt, response, messages }) => [text, prompt, response, messages],
  textColumns: ({ text, prompt, response }) => [text, prompt, response],
  jsonColumns: ({ messages, tools }) => [messages, tools],
  rows: (record, fields, keep) => [readRow(record, fields, keep)],
};

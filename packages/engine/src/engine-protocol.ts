/** What the engine process and its parent say to one another, over Node's IPC with structured cloning. */

import type { Task } from '@tocsin/siren';

/** The engine process' one argument, as JSON. */
export interface EngineOptions {
  /** Path of `model.onnx`. */
  modelFile: string;
  task: Task;
  /** Threads of a forward pass; 0 lets onnxruntime take the machine's cores. */
  threads: number;
}

export interface BatchRequest {
  id: number;
  /** All rows' token ids, row after row. */
  tokenIds: Int32Array;
  /** Tokens of each row. */
  lengths: Int32Array;
}

export type EngineReply =
  | { type: 'ready'; loadMs: number }
  | { type: 'load-failed'; message: string }
  | { type: 'scores'; id: number; scores: Float32Array; runMs: number }
  | { type: 'run-failed'; id: number; message: string };

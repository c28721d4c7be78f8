/** What the engine process and its parent say to one another, over Node's IPC with structured cloning. */

import type { Task } from '@tocsin/siren';
import type { Device } from '../devices/device.js';

/** The engine process' one argument, as JSON. */
export interface EngineOptions {
  /** Path of the graph: `model.onnx` for batches, `prefix.onnx` for prefixes. */
  modelFile: string;
  scores: 'batches' | 'prefixes';
  task: Task;
  device: Device;
  /** Threads of a forward pass; 0 lets onnxruntime take the machine's cores. */
  threads: number;
  /**
   * Runs the graph as it is written: slower, and with little memory beyond the weights, which stay what they are on disk.
   */
  unoptimized?: boolean;
}

/** One score a row. */
export interface BatchRequest {
  type: 'batch';
  /** All rows' token ids, row after row. */
  tokenIds: Int32Array;
  /** Tokens of each row. */
  lengths: Int32Array;
  /** Asks for a second array, what the head reads of each row: row after row, as many numbers each. */
  features?: boolean;
}

/** A score for every prefix of each row. No two rows of a request belong to one stream. */
export interface PrefixRequest {
  type: 'prefixes';
  rows: PrefixRow[];
  /** Asks for one more array: what a content guard's head reads of each whole row, row after row. */
  features?: boolean;
}

export interface PrefixRow {
  /** All of the row's tokens, from its beginning: the engine process finds out by itself what it has seen before. */
  tokenIds: Int32Array;
  /** Whose keys and values it goes on from and leaves behind; undefined for a row that comes once. */
  stream: number | undefined;
}

export type EngineRequest = BatchRequest | PrefixRequest;
export type EngineMessage =
  | { id: number; request: EngineRequest }
  /** Give the request back if it has not begun. */
  | { recall: number }
  /** The stream is over; there is no reply. */
  | { forget: number };

export type EngineReply =
  | { type: 'ready'; loadMs: number }
  | { type: 'load-failed'; message: string }
  /** A batch has one array, a score a row; prefixes have one array a row, a score a token. */
  | { type: 'scores'; id: number; scores: Float32Array[]; runMs: number }
  | { type: 'run-failed'; id: number; message: string }
  /** It was asked back, and has not begun. */
  | { type: 'recalled'; id: number };

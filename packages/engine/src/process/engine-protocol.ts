/** Messages between the engine process and its parent, over Node's IPC with structured cloning. */

import type { Task } from '@tocsin/siren';
import type { Device } from '../devices/device.js';

/** The engine process' one argument, as JSON. */
export interface EngineOptions {
  /** Path of the graph: `model.onnx` for batches, `prefix.onnx` for prefixes. */
  modelFile: string;
  scores: 'batches' | 'prefixes';
  task: Task;
  device: Device;
  /** Threads of a forward pass; 0 for the number of cores. */
  threads: number;
  /**
   * Runs the graph without optimization: slower, but with little memory beyond the weights, which stay as on disk.
   */
  unoptimized?: boolean;
}

/** One score per row. */
export interface BatchRequest {
  type: 'batch';
  /** All rows' token ids, concatenated. */
  tokenIds: Int32Array;
  /** Tokens of each row. */
  lengths: Int32Array;
  /** Requests a second array: the head's input of each row, concatenated, equally many numbers each. */
  features?: boolean;
}

/** A score for every prefix of each row. Rows of a request belong to different streams. */
export interface PrefixRequest {
  type: 'prefixes';
  rows: PrefixRow[];
  /** Requests another array: a content guard's head input of each whole row, concatenated. */
  features?: boolean;
}

export interface PrefixRow {
  /** All tokens of the row; the engine process finds out which it has seen before. */
  tokenIds: Int32Array;
  /** The stream whose keys and values it continues; undefined for a single row. */
  stream: number | undefined;
}

export type EngineRequest = BatchRequest | PrefixRequest;
export type EngineMessage =
  | { id: number; request: EngineRequest }
  /** Recalls the request unless it has started. */
  | { recall: number }
  /** The stream has ended; no reply. */
  | { forget: number };

export type EngineReply =
  | { type: 'ready'; loadMs: number }
  | { type: 'load-failed'; message: string }
  /** For a batch one array, a score per row; for prefixes one array per row, a score per token. */
  | { type: 'scores'; id: number; scores: Float32Array[]; runMs: number }
  | { type: 'run-failed'; id: number; message: string }
  /** It was recalled before it started. */
  | { type: 'recalled'; id: number };

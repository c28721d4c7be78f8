/**
 * An engine process that computes nothing: it sleeps for the time that its cost model gives. It uses the protocol of
 * Tocsin's engine process. The environment variable TOCSIN_SIMULATED_COST contains the model as JSON.
 */
import type { CostModel, EngineMessage, EngineReply } from '@tocsin/engine';
import { SIMULATED_COST } from './simulated-cost.js';

interface Waiting {
  id: number;
  scores: Float32Array;
  runMs: number;
  arrivedMs: number;
}

/** The resolution of a timer. */
const TIMER_MS = 0.5;

const cost = JSON.parse(process.env[SIMULATED_COST] ?? '') as CostModel;
const waiting: Waiting[] = [];
let busy = false;
/**
 * When the device ends its current pass. A pass starts when the previous one ends, not when a timer fires: timers are
 * late on a busy machine.
 */
let freeAtMs = 0;

const send = (reply: EngineReply): void => {
  // Without a parent no reply is needed; 'disconnect' below ends the process.
  process.send?.(reply, undefined, undefined, () => {});
};

process.on('disconnect', () => process.exit(0));
process.on('SIGINT', () => {});
process.on('message', (message: EngineMessage) => {
  if ('recall' in message) recall(message.recall);
  else if ('request' in message) take(message.id, message.request);
});
send({ type: 'ready', loadMs: 0 });

function take(id: number, request: Extract<EngineMessage, { id: number }>['request']): void {
  if (request.type !== 'batch') {
    send({ type: 'run-failed', id, message: 'the simulated engine knows batches only' });
    return;
  }
  const { tokenIds, lengths } = request;
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
  const runMs =
    cost.overheadMs + cost.tokenMs * tokenIds.length + cost.cellMs * lengths.length * longest * longest;
  waiting.push({ id, scores: scoresOf(tokenIds, lengths), runMs, arrivedMs: performance.now() });
  if (!busy) next();
}

function next(): void {
  const pass = waiting.shift();
  busy = pass !== undefined;
  if (pass === undefined) return;
  const { id, scores, runMs, arrivedMs } = pass;
  freeAtMs = Math.max(freeAtMs, arrivedMs) + runMs;
  const leftMs = freeAtMs - performance.now();
  const end = (): void => {
    send({ type: 'scores', id, scores: [scores], runMs });
    next();
  };
  if (leftMs < TIMER_MS) end();
  else setTimeout(end, leftMs);
}

/** Passes that have not started are recalled. */
function recall(id: number): void {
  const at = waiting.findIndex((pass) => pass.id === id);
  if (at < 0) return;
  waiting.splice(at, 1);
  send({ type: 'recalled', id });
}

function scoresOf(tokenIds: Int32Array, lengths: Int32Array): Float32Array {
  let at = 0;
  return Float32Array.from(lengths, (length) => {
    at += length;
    return simulatedScore(tokenIds.subarray(at - length, at));
  });
}

/** A simulated score: a function of the tokens, spread over [0, 1]. */
function simulatedScore(tokenIds: Int32Array): number {
  let sum = 7;
  for (const id of tokenIds) sum = (Math.imul(sum, 31) + id) | 0;
  return Math.fround((sum >>> 0) / 4_294_967_295);
}

/** A thread of `QuantizeThreads`: quantizes the slabs that it is sent, in order. */
import { parentPort } from 'node:worker_threads';
import { quantizeRows } from '../quantize.js';
import type { QuantizeReply, QuantizeRequest } from './quantize-threads.js';

parentPort?.on('message', ({ values, inputs, format }: QuantizeRequest) => {
  try {
    const rows = quantizeRows(values, inputs, format);
    const arrays = [rows.codes, rows.scales, ...(rows.zeroPoints === undefined ? [] : [rows.zeroPoints])];
    reply(
      { rows },
      arrays.map(({ buffer }) => buffer as ArrayBuffer),
    );
  } catch (error) {
    reply({ error });
  }
});

function reply(message: QuantizeReply, transferred: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transferred);
}

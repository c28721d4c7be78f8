/** Tries the device given as its argument (JSON) and reports the result to its parent. */
import { DataType, Graph } from '@tocsin/backbone';
import { messageOf } from '@tocsin/core';
import { InferenceSession, Tensor } from '../process/onnxruntime.js';
import { sessionOptions } from '../process/session-options.js';
import type { Device } from './device.js';

/** Without an error it works. */
export interface ProbeReply {
  error: string | undefined;
}

const device = JSON.parse(process.argv[2] ?? '') as Device;
let error: string | undefined;
try {
  await run();
} catch (caught) {
  error = messageOf(caught);
}
process.send?.({ error } satisfies ProbeReply, () => process.exit(0));

/** Adds two numbers. */
async function run(): Promise<void> {
  const graph = new Graph();
  const input = graph.input('input', DataType.FLOAT, [2]);
  graph.op('Add', [input, input], {}, 'sum');
  graph.output('sum', DataType.FLOAT, [2]);
  const session = await InferenceSession.create(
    graph.encode('probe'),
    sessionOptions({ device, threads: 1 }),
  );
  const { sum } = await session.run({ input: new Tensor('float32', Float32Array.of(1, 2), [2]) });
  if (sum?.data[1] !== 4) throw new Error(`1 + 1 and 2 + 2 came to ${sum?.data.join(' and ')}`);
}

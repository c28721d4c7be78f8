import { readTensors, type TensorSpec, writeSafetensors } from './files.js';
import { goldenArtifact } from './golden.js';

/** The artifact that tests modify: it has dropout on one layer of its head and a non-default threshold. */
export const GOOD = goldenArtifact('llama31-ropescaled');

/** Its `siren_config.json` with fields set; undefined removes a field. @param changes by path, e.g. `mlp.input_dim` */
export function configWith(changes: Record<string, unknown>): Uint8Array {
  const config = goodConfig();
  for (const [path, value] of Object.entries(changes)) {
    const parts = path.split('.');
    const last = parts.pop() ?? '';
    const parent = parts.reduce((object, part) => Reflect.get(object, part), config);
    Reflect.set(parent, last, value);
  }
  return new TextEncoder().encode(JSON.stringify(config));
}

/** The path of every field of its config, without the many neurons. */
export function fieldPaths(value: object = goodConfig(), path = ''): string[] {
  return Object.entries(value).flatMap(([key, child]) => {
    const here = path === '' ? key : `${path}.${key}`;
    const below = typeof child === 'object' && child !== null && !key.endsWith('_mean');
    return below ? [here, ...fieldPaths(child, here)] : [here];
  });
}

function goodConfig(): object {
  return JSON.parse(new TextDecoder().decode(GOOD.config.bytes)) as object;
}

/** Every tensor of its `siren.safetensors`. */
export const goodTensors = (): TensorSpec[] => readTensors(GOOD.weights.bytes);

/** Its `siren.safetensors` with parts of a tensor changed, or (undefined) without it. */
export function weightsWith(name: string, change: Partial<TensorSpec> | undefined): Uint8Array {
  const others = goodTensors().filter((tensor) => tensor.name !== name);
  const changed = goodTensors().filter((tensor) => tensor.name === name && change !== undefined);
  return writeSafetensors([...others, ...changed.map((tensor) => ({ ...tensor, ...change }))]);
}

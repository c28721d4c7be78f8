import { env, listSupportedBackends } from 'onnxruntime-node';

/** What this build of onnxruntime-node is. */
export interface RuntimeFacts {
  version: string;
  /** Execution providers that it was built with; those that are not bundled need libraries of their own. */
  providers: { name: string; bundled: boolean }[];
}

export function runtimeFacts(): RuntimeFacts {
  const { versions } = env;
  return { version: versions.node ?? versions.common, providers: [...listSupportedBackends()] };
}

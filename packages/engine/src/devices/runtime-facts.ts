/** What this build of onnxruntime-node is. */
export interface RuntimeFacts {
  version: string;
  /** Execution providers that it was built with; those that are not bundled need libraries of their own. */
  providers: { name: string; bundled: boolean }[];
}

/** Loads onnxruntime's library into this process. */
export async function runtimeFacts(): Promise<RuntimeFacts> {
  // Only when asked: the engine process has the library, and a program that uses ours need not.
  const { env, listSupportedBackends } = await import('../process/onnxruntime.js');
  const { versions } = env;
  return { version: versions.node ?? versions.common, providers: [...listSupportedBackends()] };
}

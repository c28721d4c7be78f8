/** Where a guard's parts lie on this machine. All paths are absolute, and the files exist. */
export interface GuardSource {
  /** For people: `starter`, or the name of the artifact's directory. */
  name: string;
  artifact: ArtifactSource;
  backbone: BackboneSource;
}

/** What a SIREN release ships, as file paths. */
export interface ArtifactSource {
  /** `siren_config.json` */
  config: string;
  /** `siren.safetensors` */
  weights: string;
}

/** A frozen language model: a Hugging Face directory, or a GGUF file. */
export type BackboneSource = { kind: 'safetensors'; dir: string } | { kind: 'gguf'; file: string };

/** Something that takes a while has begun or ended; `message` is one line for the person waiting. */
export interface ModelEvent {
  step: 'fetch' | 'wait' | 'unpack' | 'compile' | 'done';
  message: string;
}

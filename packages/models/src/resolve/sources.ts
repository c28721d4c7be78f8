import type { HubPin } from '../hub/hub-ref.js';

/** Where a guard's parts lie on this machine. All paths are absolute, and the files exist. */
export interface GuardSource {
  /** For people: `starter`, the name of the artifact's directory, or `owner/name@commit` on the hub. */
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
  /** Where on the hub it came from. */
  pin?: HubPin;
}

/** A frozen language model: a Hugging Face directory, or a GGUF file. */
export type BackboneSource = ({ kind: 'safetensors'; dir: string } | { kind: 'gguf'; file: string }) & {
  /** Where on the hub it came from. */
  pin?: HubPin;
};

/**
 * Something that takes a while has begun or ended; `message` is one line for the person waiting. A `note` says that
 * something is not as it was asked for.
 */
export interface ModelEvent {
  step: 'fetch' | 'wait' | 'unpack' | 'compile' | 'note' | 'done';
  message: string;
}

/** How far a download is. Told several times a second: for a bar, not for a log. */
export interface TransferredBytes {
  /** What is fetched. */
  label: string;
  /** The file that is being fetched. */
  file: string;
  /** Of all its files. It can shrink, when a file begins again. */
  done: number;
  total: number;
}

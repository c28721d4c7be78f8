import type { HubPin } from '../hub/hub-ref.js';

/** A guard's files on this machine. All paths are absolute, and the files exist. */
export interface GuardSource {
  /** For display: `starter`, the name of the artifact's directory, or `owner/name@commit` on the hub. */
  name: string;
  artifact: ArtifactSource;
  backbone: BackboneSource;
}

/** The files of a SIREN release. */
export interface ArtifactSource {
  /** `siren_config.json` */
  config: string;
  /** `siren.safetensors` */
  weights: string;
  /** Its origin on the hub. */
  pin?: HubPin;
}

/** A frozen language model: a Hugging Face directory, or a GGUF file. */
export type BackboneSource = ({ kind: 'safetensors'; dir: string } | { kind: 'gguf'; file: string }) & {
  /** Its origin on the hub. */
  pin?: HubPin;
};

/**
 * The start or end of something slow; `message` is one line for display. A `note` reports a difference from the request.
 */
export interface ModelEvent {
  step: 'fetch' | 'wait' | 'unpack' | 'compile' | 'note' | 'done';
  message: string;
}

/** Progress of a download, several times a second: for a progress bar, not a log. */
export interface TransferredBytes {
  /** What is fetched. */
  label: string;
  /** The file that is being fetched. */
  file: string;
  /** Of all files. Decreases when a file starts over. */
  done: number;
  total: number;
}

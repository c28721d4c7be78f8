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

/** A guard that its authors released on the hub. */
export interface ReleasedGuard {
  ref: string;
  task: 'content' | 'trajectory';
  /** The authors' name. The artifact itself states the model and its commit. */
  backbone: string;
  /** The backbone is only for accounts that accepted its licence. */
  gated: boolean;
  about: string;
}

/**
 * The released guards, from their authors' pages (github.com/CSSLab/SIREN, pypi.org/project/llm-siren). Nothing depends
 * on this table: any artifact can be used by its name.
 */
export const RELEASED_GUARDS: readonly ReleasedGuard[] = [
  {
    ref: 'UofTCSSLab/SIREN-Qwen3-0.6B',
    task: 'content',
    backbone: 'Qwen/Qwen3-0.6B',
    gated: false,
    about: 'the small one',
  },
  {
    ref: 'UofTCSSLab/SIREN-Llama-3.2-1B',
    task: 'content',
    backbone: 'meta-llama/Llama-3.2-1B',
    gated: true,
    about: 'needs the licence of Llama 3.2',
  },
  {
    ref: 'UofTCSSLab/SIREN-Qwen3-4B',
    task: 'content',
    backbone: 'Qwen/Qwen3-4B',
    gated: false,
    about: "the best of the four in the paper's measure",
  },
  {
    ref: 'UofTCSSLab/SIREN-Llama-3.1-8B',
    task: 'content',
    backbone: 'meta-llama/Llama-3.1-8B',
    gated: true,
    about: 'needs the licence of Llama 3.1',
  },
  {
    ref: 'difanjiao/Agent-SIREN-Qwen3-4B',
    task: 'trajectory',
    backbone: 'Qwen/Qwen3-4B-Instruct-2507',
    gated: false,
    about: "an agent's messages and tool calls",
  },
];

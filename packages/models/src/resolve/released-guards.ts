/** A guard that its authors released on the hub. */
export interface ReleasedGuard {
  ref: string;
  task: 'content' | 'trajectory';
  /** As its authors name it. The artifact itself says which one it is, and at which commit. */
  backbone: string;
  /** The backbone's files are only for accounts that accepted its licence. */
  gated: boolean;
  about: string;
}

/**
 * The released guards, after their authors' pages (github.com/CSSLab/SIREN, pypi.org/project/llm-siren). Nothing depends on
 * this table: any artifact is taken by its name. The hub could not be reached where it was written, so that no commit is
 * pinned here.
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

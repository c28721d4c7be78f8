import type { OpenGuard } from '@tocsin/engine';
import type { ExpressScorer, Submit } from '@tocsin/pipeline';
import type { Pool } from '@tocsin/postgres';
import type { ServedGuard } from './models/served-model.js';

/** A guard that the routes can ask for single scores, and that batches are submitted for. */
export interface AskedGuard extends ServedGuard {
  scorer: Pick<ExpressScorer, 'score'>;
  open: OpenGuard;
}

/** What the OpenAI routes are given. */
export interface OpenaiOptions {
  pool: Pool;
  /** Guards that can be asked, the default first. */
  guards: readonly AskedGuard[];
  submit: Submit;
  /** Of an uploaded file. */
  uploadBytes: number;
}

import { UserError } from '@tocsin/core';

const DAMAGED = 'The file is damaged, incomplete or wrongly converted: take another copy of the model.';
const QUOTED_LENGTH = 80;
const UNSUPPORTED = 'Use another GGUF of the model, or its Hugging Face directory with safetensors.';

/** The file violates the GGUF format: truncated, overwritten, or badly written. */
export function damaged(path: string, problem: string): UserError {
  return new UserError(`${path}: ${problem}`, { hint: DAMAGED });
}

/** The file is valid but has an unsupported feature that would change the scores. */
export function unsupported(path: string, problem: string, hint: string = UNSUPPORTED): UserError {
  return new UserError(`${path}: ${problem}`, { hint });
}

/** Text from the file, made safe for a message: one line, bounded length. */
export function quote(text: string): string {
  return JSON.stringify(text.length > QUOTED_LENGTH ? `${text.slice(0, QUOTED_LENGTH)}...` : text);
}

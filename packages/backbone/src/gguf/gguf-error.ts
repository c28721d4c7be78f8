import { UserError } from '@tocsin/core';

const DAMAGED = 'The file is damaged, incomplete or wrongly converted: take another copy of the model.';
const QUOTED_LENGTH = 80;
const UNSUPPORTED = 'Use another GGUF of the model, or its Hugging Face directory with safetensors.';

/** The file breaks the GGUF format: cut short, overwritten, or written wrongly. */
export function damaged(path: string, problem: string): UserError {
  return new UserError(`${path}: ${problem}`, { hint: DAMAGED });
}

/** The file is sound, but holds something that would change the numbers and is not built. */
export function unsupported(path: string, problem: string, hint: string = UNSUPPORTED): UserError {
  return new UserError(`${path}: ${problem}`, { hint });
}

/** Text out of the file, fit for a message: on one line, and not a megabyte of it. */
export function quote(text: string): string {
  return JSON.stringify(text.length > QUOTED_LENGTH ? `${text.slice(0, QUOTED_LENGTH)}...` : text);
}

import { openGguf } from '../gguf/index.js';

/**
 * A GGUF file's `tokenizer_config.json`: special tokens by name, and the chat template if it has one.
 * @throws UserError for a file that is broken or holds what is not supported
 */
export async function ggufTokenizerConfig(file: string): Promise<Record<string, unknown>> {
  const { tokenizerConfig } = await openGguf(file);
  return tokenizerConfig;
}

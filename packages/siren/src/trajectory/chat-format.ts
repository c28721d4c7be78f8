import { UserError } from '@tocsin/core';

/** How a backbone writes a conversation: its chat template, and the special tokens that the template may name. */
export interface ChatFormat {
  /** Jinja. */
  template: string;
  /** E.g. `bos_token`. */
  specialTokens: Record<string, string>;
}

/** transformers 5: `SPECIAL_TOKENS_ATTRIBUTES`. */
const SPECIAL_TOKENS = [
  'bos_token',
  'eos_token',
  'unk_token',
  'sep_token',
  'pad_token',
  'cls_token',
  'mask_token',
] as const;

/**
 * The chat format of a backbone, as transformers finds it.
 *
 * @param file     names the configuration in messages
 * @param config   `tokenizer_config.json`, parsed
 * @param template `chat_template.jinja`, which wins over the one in the configuration
 * @throws UserError when there is no template, or what is there cannot be one
 */
export function chatFormatOf(file: string, config: unknown, template?: string): ChatFormat {
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw new UserError(`${file} must hold a JSON object`);
  }
  const fields = config as Record<string, unknown>;
  const specialTokens: Record<string, string> = {};
  for (const name of SPECIAL_TOKENS) {
    const token = tokenText(file, name, fields[name]);
    if (token !== undefined) specialTokens[name] = token;
  }
  return { template: template ?? templateOf(file, fields.chat_template), specialTokens };
}

/** A token is a string, or an object that says how it is matched, with the string as its content. */
function tokenText(file: string, name: string, token: unknown): string | undefined {
  if (token === undefined || token === null) return undefined;
  const text = typeof token === 'object' && 'content' in token ? token.content : token;
  if (typeof text === 'string') return text;
  throw new UserError(`${file}: ${name} must be a string, or an object with a string "content"`);
}

/** One template, or several by name: then the one called "default". */
function templateOf(file: string, template: unknown): string {
  if (typeof template === 'string') return template;
  if (template === undefined || template === null) {
    throw new UserError(`${file} has no chat_template, and there is no chat_template.jinja beside it`, {
      hint: 'A trajectory guard renders conversations with the chat template of its backbone. Take a backbone that has one.',
    });
  }
  const named = Array.isArray(template) ? template : [];
  const found = named.find((entry: unknown) => (entry as { name?: unknown } | null)?.name === 'default') as
    | { template?: unknown }
    | undefined;
  if (typeof found?.template === 'string') return found.template;
  throw new UserError(
    `${file}: chat_template must be a string, or a list of {name, template} with one named "default"`,
  );
}

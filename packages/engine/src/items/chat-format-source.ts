import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ggufTokenizerConfig } from '@tocsin/backbone';
import { codeOf, messageOf, UserError } from '@tocsin/core';
import type { BackboneSource } from '@tocsin/models';
import { type ChatFormat, ChatTemplate, chatFormatOf } from '@tocsin/siren';

/** The files of a checkpoint directory that define the chat format. Either may be missing. */
export const CHAT_FORMAT_FILES = ['tokenizer_config.json', 'chat_template.jinja'] as const;

/**
 * A backbone's chat format, as transformers finds it: `chat_template.jinja` before the template in
 * `tokenizer_config.json`, the special tokens of the latter; or a GGUF file's metadata.
 * @throws UserError when the template is missing or unreadable
 */
export async function readChatFormat(source: BackboneSource): Promise<ChatFormat> {
  const [file, format] = source.kind === 'gguf' ? await ofGguf(source.file) : await ofDirectory(source.dir);
  try {
    new ChatTemplate(format);
  } catch (cause) {
    throw new UserError(`${file}: ${messageOf(cause)}`, { cause });
  }
  return format;
}

async function ofGguf(file: string): Promise<[file: string, ChatFormat]> {
  return [file, chatFormatOf(file, await ggufTokenizerConfig(file))];
}

async function ofDirectory(dir: string): Promise<[file: string, ChatFormat]> {
  const [file, templateFile] = CHAT_FORMAT_FILES.map((name) => join(dir, name)) as [string, string];
  const [config, template] = await Promise.all([textIfThere(file), textIfThere(templateFile)]);
  return [template === undefined ? file : templateFile, chatFormatOf(file, parse(file, config), template)];
}

function parse(file: string, json: string | undefined): unknown {
  if (json === undefined) return {};
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new UserError(`${file} is no valid JSON`, { cause });
  }
}

async function textIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new UserError(`${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

import { type CorpusFields, DEFAULT_FIELDS } from '@tocsin/corpus';
import type { Command } from 'commander';

/** Where a row's parts are, and where its scores are kept: the options of every command that reads a corpus. */
export interface CorpusFlags {
  textField: string;
  promptField: string;
  responseField: string;
  messagesField: string;
  toolsField: string;
  idField: string;
  dataDir?: string;
}

export function addCorpusOptions(command: Command): Command {
  return command
    .option('--text-field <name>', 'the field that holds a text', DEFAULT_FIELDS.text)
    .option('--prompt-field <name>', 'the field that holds a prompt', DEFAULT_FIELDS.prompt)
    .option('--response-field <name>', 'the field that holds the response to it', DEFAULT_FIELDS.response)
    .option('--messages-field <name>', "the field that holds an agent's messages", DEFAULT_FIELDS.messages)
    .option('--tools-field <name>', 'the field that holds the tools it was given', DEFAULT_FIELDS.tools)
    .option('--id-field <name>', "the field that holds a row's key", DEFAULT_FIELDS.id)
    .option('--data-dir <dir>', 'of the embedded database, used when DATABASE_URL is unset (TOCSIN_DATA)');
}

/** The fields as a reader of corpora takes them. */
export function fieldsOf(flags: CorpusFlags): CorpusFields {
  return {
    text: flags.textField,
    prompt: flags.promptField,
    response: flags.responseField,
    messages: flags.messagesField,
    tools: flags.toolsField,
    id: flags.idField,
  };
}

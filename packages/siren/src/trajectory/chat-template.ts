import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja';
import { messageOf, UserError } from '@tocsin/core';
import { type ChatMessage, foldSystem } from './chat-messages.js';
import { definePythonStrips, usePythonStrips } from './python-methods.js';

/** A backbone's chat template, and the special tokens that the template may name. */
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
 * @throws UserError when the template is missing or of the wrong type
 */
export function chatFormatOf(file: string, config: unknown, template?: string): ChatFormat {
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw new UserError(`${file} must contain a JSON object`);
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

/** The template, or the one named "default" of a list. */
function templateOf(file: string, template: unknown): string {
  if (typeof template === 'string') return template;
  if (template === undefined || template === null) {
    throw new UserError(`${file} has no chat_template, and there is no chat_template.jinja next to it`, {
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

/** The template called `raise_exception`. */
class TemplateRefusal extends Error {}

/** The limit of `range` in Jinja's sandbox, which transformers renders in. */
const MAX_RANGE = 100_000;
/** Minimum budget of expressions to evaluate and elements to iterate (about 2 s); a message takes about 100. */
const MIN_STEPS = 150_000;
const STEPS_PER_MESSAGE = 500;
/** Maximum UTF-16 units of a rendering or an intermediate value, beyond the messages' own. */
const MAX_ADDED_LENGTH = 64 * 2 ** 20;

/** Limits of one rendering. Templates come with checkpoints, so an endless one must not hang the process. */
interface Bounds {
  steps: number;
  length: number;
}

/** A backbone's chat template. Renders as transformers' `apply_chat_template` does. */
export class ChatTemplate {
  readonly #program: ReturnType<typeof parse>;
  readonly #specialTokens: Record<string, string>;

  /** @throws UserError for a template that is not Jinja, or uses unsupported parts of it */
  constructor({ template, specialTokens }: ChatFormat) {
    try {
      // Jinja normalizes line ends. transformers sets block trimming.
      const source = template.replace(/\r\n?/g, '\n');
      this.#program = parse(tokenize(source, { trim_blocks: true, lstrip_blocks: true }));
    } catch (error) {
      throw new UserError(`the chat template cannot be read: ${messageOf(error)}`, { cause: error });
    }
    usePythonStrips(this.#program);
    this.#specialTokens = specialTokens;
  }

  /**
   * The conversation as the backbone reads it. If the template refuses a system message, it is moved into the first
   * user message (llm-siren `render`).
   * @throws UserError when the template refuses that too, or fails
   */
  render(messages: readonly ChatMessage[]): string {
    try {
      return this.#apply(messages);
    } catch (error) {
      // The reference retries after any error. Here an error that is not a refusal is a bug and must show.
      if (!(error instanceof TemplateRefusal)) throw failed(error);
    }
    try {
      return this.#apply(foldSystem(messages));
    } catch (error) {
      throw failed(error);
    }
  }

  #apply(messages: readonly ChatMessage[]): string {
    const environment = new Environment();
    const variables = {
      ...this.#specialTokens,
      messages,
      tools: null,
      documents: null,
      add_generation_prompt: false,
    };
    // transformers also defines strftime_now. It is left out so that a score does not depend on the day: a template
    // that checks for it (Llama 3.2) then uses the date it was trained with.
    const globals = {
      true: true,
      True: true,
      false: false,
      False: false,
      none: null,
      None: null,
      range,
      raise_exception: (message: unknown): never => {
        throw new TemplateRefusal(String(message));
      },
    };
    for (const [name, value] of Object.entries({ ...globals, ...variables })) environment.set(name, value);
    definePythonStrips(environment);
    const interpreter = new Interpreter(environment);
    limit(interpreter, boundsFor(messages));
    return String(interpreter.run(this.#program).value);
  }
}

function failed(error: unknown): UserError {
  const what = error instanceof TemplateRefusal ? 'refuses the conversation' : 'fails on the conversation';
  return new UserError(`the backbone's chat template ${what}: ${messageOf(error)}`, { cause: error });
}

/** The library's interpreter: every node and every value passes through `evaluate`. */
interface Evaluating {
  evaluate(node: TemplateNode | undefined, environment: unknown): { value: unknown };
}
interface TemplateNode {
  type: string;
  /** Of a loop: what it iterates, perhaps with a condition (`lhs if ...`). */
  iterable?: TemplateNode & { lhs?: TemplateNode };
}

/** Makes an interpreter count evaluations and elements, and check the size of texts. */
function limit(interpreter: Evaluating, bounds: Bounds): void {
  const evaluate = interpreter.evaluate.bind(interpreter);
  const goneOver = new Set<TemplateNode | undefined>();
  let steps = 0;
  const count = (more: number): void => {
    steps += more;
    if (steps > bounds.steps) throw new Error(`it needs more than ${bounds.steps} steps`);
  };
  interpreter.evaluate = (node, environment) => {
    count(1);
    if (node?.type === 'For') goneOver.add(node.iterable).add(node.iterable?.lhs);
    const result = evaluate(node, environment);
    const { value } = result;
    const isNew = node?.type === 'CallExpression' || node?.type === 'FilterExpression';
    if (Array.isArray(value) && (isNew || goneOver.has(node))) count(value.length);
    if (typeof value === 'string' && value.length > bounds.length) {
      throw new Error(`it makes a text of more than ${bounds.length} characters`);
    }
    return result;
  };
}

function boundsFor(messages: readonly ChatMessage[]): Bounds {
  const given = messages.reduce((sum, { content }) => sum + content.length, 0);
  return {
    steps: Math.max(MIN_STEPS, messages.length * STEPS_PER_MESSAGE),
    length: MAX_ADDED_LENGTH + 4 * given,
  };
}

/** Python's `range(stop)` and `range(start, stop, step)`. */
function range(...bounds: number[]): number[] {
  const [start = 0, stop = 0, step = 1] = bounds.length === 1 ? [0, ...bounds] : bounds;
  const length = step === 0 ? 0 : Math.max(0, Math.ceil((stop - start) / step));
  // NaN when a bound is not a number.
  if (!(length <= MAX_RANGE)) {
    throw new Error(`range() of ${length} numbers; at most ${MAX_RANGE} are allowed`);
  }
  return Array.from({ length }, (_, i) => start + i * step);
}

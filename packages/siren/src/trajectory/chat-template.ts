import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja';
import { messageOf, UserError } from '@tocsin/core';
import type { ChatFormat } from './chat-format.js';
import { type ChatMessage, foldSystem } from './chat-messages.js';
import { definePythonStrips, usePythonStrips } from './python-methods.js';

/** The template itself says no, with `raise_exception`. */
class TemplateRefusal extends Error {}

/** As many elements as `range` gives in Jinja's sandbox, which transformers renders in. */
const MAX_RANGE = 100_000;
/** Expressions that a rendering may evaluate and elements it may go over, at least (about 2 s); a message takes about 100. */
const MIN_STEPS = 150_000;
const STEPS_PER_MESSAGE = 500;
/** UTF-16 units that a rendering, or any value on its way, may have: beyond what is in the messages. */
const MAX_ADDED_LENGTH = 64 * 2 ** 20;

/** What a rendering may cost. A template comes with a checkpoint: one that never ends must not take the process along. */
interface Bounds {
  steps: number;
  length: number;
}

/** A backbone's chat template, rendering as transformers' `apply_chat_template` does. */
export class ChatTemplate {
  readonly #program: ReturnType<typeof parse>;
  readonly #specialTokens: Record<string, string>;

  /** @throws UserError for a template that is no Jinja, or more of it than is built */
  constructor({ template, specialTokens }: ChatFormat) {
    try {
      // Jinja takes every line end for a newline. Block trimming is how transformers sets it.
      const source = template.replace(/\r\n?/g, '\n');
      this.#program = parse(tokenize(source, { trim_blocks: true, lstrip_blocks: true }));
    } catch (error) {
      throw new UserError(`the chat template cannot be read: ${messageOf(error)}`, { cause: error });
    }
    usePythonStrips(this.#program);
    this.#specialTokens = specialTokens;
  }

  /**
   * The conversation as the backbone reads it. A template that refuses a system message gets it in the first user
   * message instead (llm-siren `render`).
   * @throws UserError when the template refuses that too, or fails
   */
  render(messages: readonly ChatMessage[]): string {
    try {
      return this.#apply(messages);
    } catch (error) {
      // The reference tries again after whatever error. One that is no refusal is ours or the library's: it must show.
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
    // transformers has strftime_now too. It is left out, so that a score does not depend on the day: a template that
    // asks whether it is defined (Llama 3.2) then takes the date that it was trained with.
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

/** The library's interpreter: every node of the template and every value pass through `evaluate`. */
interface Evaluating {
  evaluate(node: TemplateNode | undefined, environment: unknown): { value: unknown };
}
interface TemplateNode {
  type: string;
  /** Of a loop: what it goes over, perhaps with a condition (`lhs if ...`). */
  iterable?: TemplateNode & { lhs?: TemplateNode };
}

/** Has an interpreter count what it evaluates, and the elements that it makes or goes over; and look at the size of texts. */
function limit(interpreter: Evaluating, bounds: Bounds): void {
  const evaluate = interpreter.evaluate.bind(interpreter);
  const goneOver = new Set<TemplateNode | undefined>();
  let steps = 0;
  const count = (more: number): void => {
    steps += more;
    if (steps > bounds.steps) throw new Error(`it takes more than ${bounds.steps} steps`);
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
  // NaN where a bound is no number.
  if (!(length <= MAX_RANGE)) {
    throw new Error(`range() of ${length} numbers; at most ${MAX_RANGE} are allowed`);
  }
  return Array.from({ length }, (_, i) => start + i * step);
}

/** The only category: guards score harm of any kind. */
const CATEGORY = 'harmful';

/** A text's score and the threshold. */
export interface ModeratedText {
  score: number;
  threshold: number;
  /** Whether the text was cut at the guard's maximum length. */
  truncated: boolean;
}

/** A moderation result: OpenAI's fields, plus `score`, `threshold` and `truncated`. */
export interface ModerationResult extends ModeratedText {
  flagged: boolean;
  categories: { [CATEGORY]: boolean };
  category_scores: { [CATEGORY]: number };
  category_applied_input_types: { [CATEGORY]: ['text'] };
}

/** The response to a moderation request. */
export interface Moderation {
  id: string;
  /** The guard or policy. */
  model: string;
  results: ModerationResult[];
}

/** A text's result: flagged when score >= threshold. */
export function moderationResult({ score, threshold, truncated }: ModeratedText): ModerationResult {
  const flagged = score >= threshold;
  return {
    flagged,
    categories: { [CATEGORY]: flagged },
    category_scores: { [CATEGORY]: score },
    category_applied_input_types: { [CATEGORY]: ['text'] },
    score,
    threshold,
    truncated,
  };
}

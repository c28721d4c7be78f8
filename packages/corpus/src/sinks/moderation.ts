/** What a guard's score is about: harm of any kind. A guard tells no kinds apart, so there is no other category. */
const CATEGORY = 'harmful';

/** A text's score, and from where on it counts as harmful. */
export interface ModeratedText {
  score: number;
  threshold: number;
  /** The guard's limit cut it: its end was not seen. */
  truncated: boolean;
}

/** A result of a moderation: OpenAI's fields, and `score`, `threshold` and `truncated` beside them. */
export interface ModerationResult extends ModeratedText {
  flagged: boolean;
  categories: { [CATEGORY]: boolean };
  category_scores: { [CATEGORY]: number };
  category_applied_input_types: { [CATEGORY]: ['text'] };
}

/** The body of an answer to a moderation request. */
export interface Moderation {
  id: string;
  /** Who has judged. */
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

/** A message with a capital letter and a full stop, so that another can follow it. What begins with a name in code stays. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  const started = /^[a-z]+(?=[ ,:])/.test(trimmed)
    ? trimmed.charAt(0).toUpperCase() + trimmed.slice(1)
    : trimmed;
  return /[.!?\u2026]$/.test(started) || started === '' ? started : `${started}.`;
}

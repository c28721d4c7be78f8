import type { JSX } from 'preact';
import { useId } from 'preact/hooks';

interface SegmentsProps<T extends string> {
  label: string;
  options: readonly { value: T; label: string; title?: string }[];
  /** undefined: none of them. */
  value: T | undefined;
  onChange: (value: T) => void;
}

/** A segmented control, made of radio buttons for keyboards and screen readers. */
export function Segments<T extends string>({
  label,
  options,
  value,
  onChange,
}: SegmentsProps<T>): JSX.Element {
  const name = useId();
  return (
    <div class="segments" role="radiogroup" aria-label={label}>
      {options.map((option) => (
        <label key={option.value} title={option.title}>
          <input
            type="radio"
            name={name}
            value={option.value}
            checked={option.value === value}
            onChange={() => onChange(option.value)}
          />
          {option.label}
        </label>
      ))}
    </div>
  );
}

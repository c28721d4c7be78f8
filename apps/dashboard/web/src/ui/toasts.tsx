import { type ComponentChildren, createContext, type JSX } from 'preact';
import { useCallback, useContext, useMemo, useRef, useState } from 'preact/hooks';
import { wordsOf } from './when-answered.js';

interface Toast {
  id: number;
  text: string;
}

interface Teller {
  /** Shows a success message. */
  say: (text: string) => void;
  /** Shows an error. */
  complain: (error: unknown) => void;
}

const STAYS_MS = 6000;
const TellerContext = createContext<Teller>({ say: () => {}, complain: () => {} });

/** Access to the toasts. */
export function useTeller(): Teller {
  return useContext(TellerContext);
}

/** Short messages, also announced to screen readers. */
export function Toasts({ children }: { children: ComponentChildren }): JSX.Element {
  const [toasts, setToasts] = useState<Toast[]>([]);
  const next = useRef(0);
  const drop = useCallback((id: number) => setToasts((all) => all.filter((toast) => toast.id !== id)), []);
  const teller = useMemo<Teller>(() => {
    const say = (text: string): void => {
      const id = next.current++;
      setToasts((all) => [...all.slice(-2), { id, text }]);
      setTimeout(() => drop(id), STAYS_MS);
    };
    const complain = (error: unknown): void => {
      say(wordsOf(error));
    };
    return { say, complain };
  }, [drop]);
  return (
    <TellerContext.Provider value={teller}>
      {children}
      <div class="toasts" role="status" aria-live="polite">
        {toasts.map(({ id, text }) => (
          <div class="toast" key={id}>
            <p>{text}</p>
            <button type="button" onClick={() => drop(id)}>
              Dismiss
            </button>
          </div>
        ))}
      </div>
    </TellerContext.Provider>
  );
}

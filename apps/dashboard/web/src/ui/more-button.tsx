import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

interface Pages {
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage: () => unknown;
}

/** Loads more of a list when scrolled into view or clicked. */
export function MoreButton({ of }: { of: Pages }): JSX.Element | null {
  const button = useRef<HTMLButtonElement>(null);
  const more = useRef(of);
  more.current = of;
  useEffect(() => {
    if (!of.hasNextPage || button.current === null) return;
    const watcher = new IntersectionObserver(
      (entries) => {
        const { isFetchingNextPage, fetchNextPage } = more.current;
        if (entries.some(({ isIntersecting }) => isIntersecting) && !isFetchingNextPage) void fetchNextPage();
      },
      { rootMargin: '200px' },
    );
    watcher.observe(button.current);
    return () => watcher.disconnect();
  }, [of.hasNextPage, of.isFetchingNextPage]);
  if (!of.hasNextPage) return null;
  return (
    <div class="row">
      <button
        ref={button}
        type="button"
        class="button small"
        disabled={of.isFetchingNextPage}
        onClick={() => void of.fetchNextPage()}
      >
        {of.isFetchingNextPage ? 'Loading\u2026' : 'Show more'}
      </button>
    </div>
  );
}
